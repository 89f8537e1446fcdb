import type { Finding } from '../target';
import type { SshConfig } from './config';
import { OLDEST_NODE, keyedLines, lookScript, readFacts } from './farSide';
import { quote, quotePath } from './shell';
import type { SshLink } from './sshLink';

const LIMIT_MS = 20_000;
const TOO_LITTLE_KIB = 1024 * 1024;
const ARCHITECTURES = new Set(['x86_64', 'amd64', 'aarch64', 'arm64']);
/** The first lines of what a driver says that does not work. */
const GPU_SCRIPT =
  'if command -v nvidia-smi >/dev/null; then g=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>&1 | head -n 1) && printf "gpu=%s\\n" "$g"; fi';

/** What is missing on a machine for a container to live there. Asks nobody anything, and changes nothing. */
export async function checkSsh(config: SshConfig, link: SshLink, signal?: AbortSignal): Promise<Finding[]> {
  const { host, port, user } = config;
  const login = [
    'ssh',
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    /^[\w.@:-]+$/.test(host) ? host : quote(host),
  ].join(' ');
  try {
    await link.probe();
  } catch (error) {
    return [unreachable(host, login, error instanceof Error ? error.message : String(error))];
  }
  const run = (script: string): Promise<string> => link.run(script, { limitMs: LIMIT_MS, signal });
  const facts = readFacts(await run(lookScript(config, 'none')));
  const more = keyedLines(await run(`${spaceScript(config)}; ${GPU_SCRIPT}; ${torchScript}`));
  const findings: Finding[] = [
    { severity: 'ok', what: `${host} is reached (${facts.system}, ${facts.arch})` },
  ];
  if (!ARCHITECTURES.has(facts.arch)) {
    findings.push({
      severity: 'error',
      what: `The architecture of ${host} is ${facts.arch}; x86_64 or arm64 is needed`,
    });
  }
  findings.push(nodeFinding(config, login, facts));
  if (more.writable === 'no') {
    findings.push({
      severity: 'error',
      what: `The folder ${config.folder} cannot be written on ${host}`,
      remedy: `${login} ${quote(`mkdir -p ${quotePath(config.folder)} && chmod u+rwx ${quotePath(config.folder)}`)}`,
    });
  }
  const freeKiB = Number(more.free ?? Number.NaN);
  if (freeKiB < TOO_LITTLE_KIB) {
    findings.push({
      severity: 'warning',
      what: `Only ${Math.round(freeKiB / 1024)} MiB are free on ${host}`,
    });
  }
  findings.push(gpuFinding(host, more.gpu));
  if (more.torch !== undefined) {
    findings.push({ severity: 'ok', what: `PyTorch ${more.torch} for python3` });
  }
  return findings;
}

function unreachable(host: string, login: string, message: string): Finding {
  if (message.includes('REMOTE HOST IDENTIFICATION HAS CHANGED')) {
    return {
      severity: 'error',
      what: `The key of ${host} is not the one it had before. If that is not expected, somebody may be in between:\n${message}`,
    };
  }
  const asks = /Host key verification failed|Permission denied/i.test(message);
  return {
    severity: 'error',
    what: `${host} cannot be reached: ${message}`,
    ...(asks
      ? { remedy: /Permission denied/i.test(message) ? `ssh-copy-id ${login.slice('ssh '.length)}` : login }
      : {}),
  };
}

function nodeFinding(
  { host, installNode, folder }: SshConfig,
  login: string,
  { node, oldNode, npm }: { node: string; oldNode: string; npm: string },
): Finding {
  if (node !== '') {
    return { severity: 'ok', what: `Node at ${node}` };
  }
  const what =
    oldNode === ''
      ? `There is no Node on ${host} that was found; ${OLDEST_NODE} or newer is needed`
      : `${host} has Node ${oldNode}; ${OLDEST_NODE} or newer is needed`;
  if (npm === '') {
    return { severity: 'error', what, remedy: `${login} sudo apt-get install -y nodejs npm` };
  }
  return installNode
    ? { severity: 'warning', what: `${what}. It is installed through npm with the first start` }
    : {
        severity: 'error',
        what,
        remedy: `${login} ${quote(`npm install --prefix ${quotePath(`${folder}/node`)} node@22`)}`,
      };
}

function gpuFinding(host: string, gpu: string | undefined): Finding {
  if (gpu === undefined || gpu === '') {
    return { severity: 'ok', what: `No NVIDIA GPU on ${host}: it trains on the CPU` };
  }
  return /fail|error|couldn't|no devices/i.test(gpu)
    ? { severity: 'warning', what: `The NVIDIA driver of ${host} does not work: ${gpu}` }
    : { severity: 'ok', what: `GPU: ${gpu}` };
}

/** The nearest folder that is there counts for one that is not yet. */
function spaceScript({ folder }: SshConfig): string {
  return (
    `d=${quotePath(folder)}; while [ ! -d "$d" ]; do d=$(dirname "$d"); done; ` +
    'if [ -w "$d" ]; then echo writable=yes; else echo writable=no; fi; ' +
    'printf "free=%s\\n" "$(df -Pk "$d" | awk \'NR==2 {print $4}\')"'
  );
}

const torchScript =
  'if command -v python3 >/dev/null; then t=$(python3 -c \'import importlib.metadata as m; print(m.version("torch"))\' 2>/dev/null) && printf "torch=%s\\n" "$t"; fi; true';
