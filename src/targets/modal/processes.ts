/**
 * Programs of the sandbox that are there before ours: they are handed to its Node as arguments, and hold no secret.
 * A sandbox counts as idle, and is ended, when nothing runs by exec and nobody is connected; a training whose windows
 * are closed must not be idle. So an exec stays for as long as the container lives: the keeper.
 */

/** Written by the keeper when the container has gone and the volumes are in step. */
const GONE = '.tiny-cats/gone';

/** Main process of a sandbox: ends it once the keeper has done its work. */
export const MAIN = `
const { existsSync } = require('node:fs');
const gone = require('node:path').join(require('node:os').homedir(), '${GONE}');
process.on('SIGTERM', () => process.exit(0));
setInterval(() => existsSync(gone) && process.exit(0), 250);
`;

/**
 * Usage: node -e KEEPER container.js VOLUME… ; hands stdin and stdout on to the agent's "start", then stays until the
 * container is gone and the volumes took what it wrote.
 */
export const KEEPER = `
const { spawn, spawnSync } = require('node:child_process');
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { homedir } = require('node:os');
const { join } = require('node:path');
const [program, ...volumes] = process.argv.slice(1);
const containers = join(homedir(), '.tiny-cats', 'containers');
const pids = () => {
  try {
    return readdirSync(containers).flatMap((key) => {
      try {
        return [JSON.parse(readFileSync(join(containers, key, 'container.json'), 'utf8')).pid];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
};
// Nobody may wait for the container's end: then it stays in the list of processes, as a zombie.
const lives = (pid) => {
  try {
    return !/\\) [ZX] /.test(readFileSync('/proc/' + pid + '/stat', 'utf8'));
  } catch {
    return false;
  }
};
process.on('SIGHUP', () => undefined);
spawn(process.execPath, [program, 'agent', 'start'], { stdio: 'inherit' }).on('exit', (code) => {
  const started = pids();
  if (started.length === 0) process.exit(code ?? 1);
  const timer = setInterval(() => {
    if (started.some(lives)) return;
    clearInterval(timer);
    spawnSync('sync', volumes, { timeout: 30000 });
    writeFileSync(join(homedir(), '${GONE}'), '');
    process.exit(0);
  }, 250);
});
`;

/** Ends with 0 if the sandbox is about to end. */
export const IS_LEAVING = `
process.exit(require('node:fs').existsSync(require('node:path').join(require('node:os').homedir(), '${GONE}')) ? 0 : 1);
`;

/** Usage: sh -c RECEIVE_CODE DIR ; unpacks the archive on stdin as DIR, whole or not at all, also of several at once. */
export const RECEIVE_CODE = `
set -e
mkdir -p "$(dirname "$0")"
part=$(mktemp -d "$0.XXXXXX")
tar -xzf - -C "$part"
mv -T "$part" "$0" 2>/dev/null || { rm -rf "$part"; test -e "$0/container.js"; }
`;
