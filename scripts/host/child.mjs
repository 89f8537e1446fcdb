/** Child processes that end with everything they started. */
import { spawn } from 'node:child_process';
import { clearTimeout, setTimeout } from 'node:timers';

/**
 * @typedef {object} ChildOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [timeoutMs] the whole process group is killed when it runs longer; no limit without it
 * @property {'inherit' | 'stderr' | 'capture'} [output] 'inherit' passes both streams through, 'stderr' sends both
 *   to standard error, 'capture' keeps them for the result
 *
 * @typedef {object} ChildResult
 * @property {number} exitCode 124 after a time-out, 1 when a signal ended it
 * @property {boolean} timedOut
 * @property {string} output what it wrote to both streams, where they were captured
 */

/**
 * Signals a process group; one that is gone, or belongs to root by now (sudo), is left alone.
 * @param {number} groupId
 * @param {NodeJS.Signals} signal
 */
export function signalGroup(groupId, signal) {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')))
      throw error;
  }
}

/** Groups that are still running, to be ended when this process ends. */
const liveGroups = new Set();

/** @param {NodeJS.Signals} signal */
const signalLiveGroups = (signal) => liveGroups.forEach((groupId) => signalGroup(groupId, signal));

process.once('exit', () => signalLiveGroups('SIGKILL'));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    signalLiveGroups('SIGTERM');
    // With its listener gone the signal ends this process as it would have without us.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  });
}

/**
 * Ends a process group when this process is told to end, or ends.
 * @param {number} groupId
 * @returns {() => void} takes it back
 */
export function endWithThisProcess(groupId) {
  liveGroups.add(groupId);
  return () => liveGroups.delete(groupId);
}

/**
 * Runs a command in a process group of its own, to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ChildOptions} [options]
 * @returns {Promise<ChildResult>} rejects only when the command cannot be started at all
 */
export function runToEnd(command, args, { cwd, env, timeoutMs, output = 'inherit' } = {}) {
  return new Promise((resolve, reject) => {
    const target = { inherit: 'inherit', stderr: process.stderr, capture: 'pipe' }[output];
    const child = spawn(command, args, {
      cwd,
      env,
      detached: true,
      stdio: /** @type {import('node:child_process').StdioOptions} */ (['ignore', target, target]),
    });
    let text = '';
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    }
    const groupId = child.pid;
    const letLive = groupId === undefined ? undefined : endWithThisProcess(groupId);
    const timer =
      timeoutMs === undefined || groupId === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            signalGroup(groupId, 'SIGKILL');
          }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      letLive?.();
      if (groupId !== undefined) signalGroup(groupId, 'SIGKILL');
      resolve({ exitCode: timedOut ? 124 : (code ?? 1), timedOut, output: text });
    });
  });
}

/**
 * Runs a command whose output is shown only if it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Omit<ChildOptions, 'output'>} [options]
 * @returns {Promise<string>} its output
 * @throws {Error} with the end of the output when it fails
 */
export async function runQuietly(command, args, options = {}) {
  const { exitCode, output, timedOut } = await runToEnd(command, args, { ...options, output: 'capture' });
  if (exitCode === 0) return output;
  const how = timedOut ? 'ran out of time' : `failed with exit code ${exitCode}`;
  throw new Error(`${command} ${args.join(' ')} ${how}:\n${output.slice(-3000)}`);
}

/**
 * @param {string} command a program's name or path
 * @param {readonly string[]} [args] something harmless that it answers at once
 * @returns {Promise<boolean>} whether it is there and works
 */
export async function works(command, args = ['--version']) {
  try {
    return (await runToEnd(command, args, { output: 'capture', timeoutMs: 15_000 })).exitCode === 0;
  } catch {
    return false;
  }
}
