import type { ContainerSettings, ContainerPolicy } from '../../../src/protocol/rpc';

/** Settings for a container that stays while a test lasts. */
export const SETTINGS: ContainerSettings = { scaledownWindowMs: 120_000, keepDates: 5 };

/** Those, with another policy for runs. @param maxRetries after a moment each */
export function settingsWith({
  maxRetries = 0,
  ...policy
}: Partial<Omit<ContainerPolicy, 'retries'>> & { maxRetries?: number }): ContainerSettings {
  const retries = { maxRetries, backoffCoefficient: 1, initialDelayMs: 1, maxDelayMs: 1 };
  return { ...SETTINGS, ...policy, retries };
}
