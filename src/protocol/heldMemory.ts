import type { HeldMemory } from './events';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** "1.2 GiB held since run 3". */
export function heldMemoryText({ bytes, sinceRun }: HeldMemory): string {
  const size = bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
  return `${size} held since run ${sinceRun}`;
}
