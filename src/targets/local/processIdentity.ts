import { readFileSync } from 'node:fs';

/**
 * When a process was started, in clock ticks since boot: with the pid it names a process for good, since pids
 * are used again. Null where the platform does not tell.
 */
export function processStartTime(pid: number): number | null {
  if (process.platform !== 'linux') {
    return null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22; the command name in field 2 may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has died and only waits for its parent.
    return fields[0] === 'Z' ? null : Number(fields[19]);
  } catch {
    return null;
  }
}

/** Whether the process still lives. @param startTime what `processStartTime` said when it was started */
export function isAlive(pid: number, startTime: number | null): boolean {
  if (startTime !== null) {
    return processStartTime(pid) === startTime;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
