import type { Usage } from './container';

const HOUR_MS = 3_600_000;

/** In US dollars. */
export function costOf(ms: number, pricePerHour: number): number {
  return (pricePerHour * ms) / HOUR_MS;
}

/** "$0.0042", "$1.27": as many digits as tell something. */
export function costText(cost: number): string {
  return `$${cost.toFixed(cost !== 0 && cost < 0.1 ? 4 : 2)}`;
}

/** What a container has cost, and will until its scaledown window has passed; undefined without a price. */
export function containerCost(
  usage: Usage | undefined,
  pricePerHour: number | undefined,
  idleRemainingMs: number | null,
): { soFar: string; window: string | undefined } | undefined {
  if (usage === undefined || pricePerHour === undefined || pricePerHour === 0) {
    return undefined;
  }
  return {
    soFar: costText(costOf(usage.upMs, pricePerHour)),
    window: idleRemainingMs === null ? undefined : costText(costOf(idleRemainingMs, pricePerHour)),
  };
}
