import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { aptCommand, installWithApt, isRoot } from '../../../scripts/host/apt.mjs';
import { endWithThisProcess, signalGroup, works } from '../../../scripts/host/child.mjs';
import { buildTestImage } from './testImage';

const run = promisify(execFile);
const START_TIMEOUT_MS = 30_000;
const SYSTEM_DOCKER = '/var/run/docker.sock';
/** The path of a unix socket is short. */
const LONGEST_TEMPORARY_FOLDER = 50;

export type EngineKind = 'docker' | 'podman';

/** A container engine for tests, with the test image in it. */
export interface TestEngine {
  kind: EngineKind;
  socket: string;
  image: string;
  /** It was started for the tests, with storage of its own: what is in it is ours. */
  isPrivate: boolean;
  /** Whether it has the double of an NVIDIA GPU. */
  hasGpuDouble: boolean;
  stop: () => Promise<void>;
}

/** Why an engine cannot run here. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}

/**
 * Starts a private engine, installing it as root where it is missing. A Docker Engine that runs on this machine anyway is
 * taken as it is: two would be in each other's way.
 * @throws EngineUnavailable
 */
export async function startEngine(kind: EngineKind): Promise<TestEngine> {
  const engine = kind === 'podman' ? await startPodman() : await startDocker();
  try {
    return { ...engine, image: await buildTestImage(engine.socket) };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

type Started = Omit<TestEngine, 'image'>;

async function startPodman(): Promise<Started> {
  await ensure('podman', ['podman', 'runc', 'iptables', 'netavark']);
  if (isRoot && !(await works('runc'))) {
    // What Podman brings instead refuses machines with both versions of control groups.
    await installWithApt(['runc']).catch(() => false);
  }
  const version = /\d+/.exec((await run('podman', ['--version'])).stdout)?.[0] ?? '0';
  if (Number(version) < 4) {
    throw new EngineUnavailable(`Podman ${version} is too old: 4 is needed.`);
  }
  const dir = await temporaryFolder('tcp-');
  const env = await podmanEnvironment(dir);
  const socket = join(dir, 'podman.sock');
  const service = daemon('podman', ['system', 'service', '--time=0', `unix://${socket}`], dir, env);
  const podman = (...args: string[]): Promise<unknown> => run('podman', args, { env }).catch(() => undefined);
  const stop = async (): Promise<void> => {
    await podman('rm', '--force', '--all', '--time', '0');
    await service.stop();
    await removeStorage(dir);
  };
  await answers(socket, service, stop);
  return { kind: 'podman', socket, isPrivate: true, hasGpuDouble: isRoot, stop };
}

/** Podman mounts its storage onto itself, and once more where it still tidies up behind a container. */
async function removeStorage(dir: string): Promise<void> {
  for (let attempts = 20; ; attempts -= 1) {
    await run('umount', ['-l', join(dir, 'root/overlay')]).catch(() => undefined);
    try {
      await rm(dir, { recursive: true, force: true });
      return;
    } catch (error) {
      if (attempts === 0) throw error;
      await delay(500);
    }
  }
}

/** Configuration of a Podman that knows nothing of the user's. */
async function podmanEnvironment(dir: string): Promise<NodeJS.ProcessEnv> {
  const runtime = (await works('runc')) ? 'runc' : 'crun';
  await writeFile(
    join(dir, 'containers.conf'),
    [
      '[containers]',
      // The built-in limits are more than a root without CAP_SYS_RESOURCE may set.
      'default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]',
      'log_driver = "k8s-file"',
      '[network]',
      `network_config_dir = "${join(dir, 'networks')}"`,
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      `runtime = "${runtime}"`,
      '',
    ].join('\n'),
  );
  await writeFile(
    join(dir, 'storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${join(dir, 'root')}"\nrunroot = "${join(dir, 'runroot')}"\n`,
  );
  return {
    ...process.env,
    CONTAINERS_CONF: join(dir, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(dir, 'storage.conf'),
  };
}

async function startDocker(): Promise<Started> {
  if (await pings(SYSTEM_DOCKER)) {
    return systemDocker();
  }
  if (!isRoot) {
    throw new EngineUnavailable('No Docker Engine answers, and only root can start one.');
  }
  await ensure('dockerd', ['docker.io', 'iptables']);
  if (await pings(SYSTEM_DOCKER)) {
    // Its installation has started it.
    return systemDocker();
  }
  const dir = await temporaryFolder('tcd-');
  const socket = join(dir, 'docker.sock');
  await writeFile(join(dir, 'daemon.json'), '{}');
  const doubles = resolve('test/targets/support/doubles');
  const service = daemon(
    'dockerd',
    [
      ...['--host', `unix://${socket}`, '--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec')],
      ...['--pidfile', join(dir, 'dockerd.pid'), '--config-file', join(dir, 'daemon.json')],
      ...['--bip', '10.79.0.1/24'],
    ],
    dir,
    // It looks for NVIDIA's hook there.
    { ...process.env, PATH: `${doubles}:${process.env.PATH ?? ''}` },
  );
  const stop = async (): Promise<void> => {
    await service.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  await answers(socket, service, stop);
  return { kind: 'docker', socket, isPrivate: true, hasGpuDouble: true, stop };
}

function systemDocker(): Started {
  const stop = (): Promise<void> => Promise.resolve();
  return { kind: 'docker', socket: SYSTEM_DOCKER, isPrivate: false, hasGpuDouble: false, stop };
}

async function ensure(program: string, packages: readonly string[]): Promise<void> {
  if (await works(program)) {
    return;
  }
  const installed = isRoot && (await installWithApt(packages).catch(() => false));
  if (!installed || !(await works(program))) {
    throw new EngineUnavailable(`${program} is not installed. Install it with: ${aptCommand(packages)}`);
  }
}

interface Daemon {
  hasEnded: () => boolean;
  log: () => string;
  stop: () => Promise<void>;
}

function daemon(program: string, args: readonly string[], dir: string, env: NodeJS.ProcessEnv): Daemon {
  const logFile = join(dir, 'daemon.log');
  const log = openSync(logFile, 'a');
  const child: ChildProcess = spawn(program, args, { env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<void>((done) => child.once('exit', () => done()).once('error', () => done()));
  const { pid } = child;
  const letLive = pid === undefined ? undefined : endWithThisProcess(pid);
  const hasEnded = (): boolean => pid === undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    hasEnded,
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-1500) : ''),
    stop: async () => {
      if (!hasEnded() && pid !== undefined) {
        child.kill('SIGTERM');
        const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), 15_000);
        await ended;
        clearTimeout(timer);
      }
      letLive?.();
    },
  };
}

async function answers(socket: string, service: Daemon, stop: () => Promise<void>): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < until) {
    if (await pings(socket)) {
      return;
    }
    if (service.hasEnded()) {
      break;
    }
    await delay(50);
  }
  const log = service.log();
  await stop();
  throw new EngineUnavailable(`It does not start here:\n${log}`);
}

async function pings(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const ping = request(
      { socketPath, path: '/_ping', headers: { host: 'engine' }, timeout: 5000 },
      (answer) => {
        answer.resume();
        done(answer.statusCode === 200);
      },
    );
    ping.once('timeout', () => ping.destroy());
    ping.once('error', () => done(false));
    ping.end();
  });
}

async function temporaryFolder(prefix: string): Promise<string> {
  const parent = tmpdir().length > LONGEST_TEMPORARY_FOLDER ? '/var/tmp' : tmpdir();
  await mkdir(parent, { recursive: true });
  return mkdtemp(join(parent, prefix));
}
