import type { Retries } from '../../protocol/rpc';

/**
 * How long to wait before a retry: the initial delay, longer by the coefficient with each retry, up to the maximum.
 * @param retry from 1
 */
export function retryDelayMs(
  { backoffCoefficient, initialDelayMs, maxDelayMs }: Retries,
  retry: number,
): number {
  return Math.min(maxDelayMs, initialDelayMs * backoffCoefficient ** (retry - 1));
}
