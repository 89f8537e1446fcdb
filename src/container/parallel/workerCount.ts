import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MAX_WORKERS } from './layout';

/** More share the memory's bandwidth rather than add to it. */
const MOST_BY_ITSELF = 8;

/** Cores by the kernel's list of processors, of which two may be threads of one core; undefined where there is none. */
export function coresOf(cpuinfo: string): number | undefined {
  const cores = new Set<string>();
  for (const processor of cpuinfo.split('\n\n')) {
    const of = (field: string) => new RegExp(`^${field}\\s*:\\s*(\\d+)`, 'm').exec(processor)?.[1];
    const core = of('core id');
    if (core !== undefined) cores.add(`${of('physical id') ?? '0'}/${core}`);
  }
  return cores.size > 0 ? cores.size : undefined;
}

/** Cores of this machine; undefined where that cannot be found out. */
export function physicalCores(): number | undefined {
  try {
    return coresOf(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return undefined;
  }
}

/** Threads to compute with. @param asked 0 for as many as pay on this machine: its physical cores, up to 8 */
export function workerCount(asked: number): number {
  if (asked > 0) return Math.min(asked, MAX_WORKERS);
  const available = availableParallelism();
  return Math.max(1, Math.min(MOST_BY_ITSELF, available, physicalCores() ?? available));
}
