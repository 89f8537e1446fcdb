import type { ParameterValues } from '../protocol/parameters';
import type { ContainerSettings } from '../protocol/rpc';
import { DEFAULT_POLICY } from '../protocol/rpc';
import type { Option } from './options';

const SECOND_MS = 1000;
const MAX_SECONDS = 1_000_000;
const MAX_DELAY_SECONDS = 3600;
const { retries } = DEFAULT_POLICY;

const MAX_RETRIES = {
  spec: {
    name: 'max_retries',
    type: 'integer',
    default: retries.maxRetries,
    minimum: 0,
    maximum: 1000,
    description: 'How often a run whose trainer died goes on from its last checkpoint',
  },
} as const satisfies Option;

const BACKOFF_COEFFICIENT = {
  spec: {
    name: 'backoff_coefficient',
    type: 'number',
    default: retries.backoffCoefficient,
    minimum: 1,
    maximum: 10,
    description: 'How much longer each retry is waited for than the one before',
  },
} as const satisfies Option;

const INITIAL_DELAY = seconds(
  'initial_delay',
  retries.initialDelayMs,
  MAX_DELAY_SECONDS,
  'How long the first retry is waited for',
);
const MAX_DELAY = seconds('max_delay', retries.maxDelayMs, MAX_DELAY_SECONDS, 'Longest wait for a retry');
const TIMEOUT = seconds(
  'timeout',
  DEFAULT_POLICY.runTimeoutMs,
  MAX_SECONDS,
  'How long a run may take, retries included; 0: as long as it takes',
);
const STALL_TIMEOUT = seconds(
  'stall_timeout',
  DEFAULT_POLICY.stallTimeoutMs,
  MAX_SECONDS,
  'A run or a warm-up without progress for that long is reported; 0: never',
);

const STOP_STALLED = {
  spec: {
    name: 'stop_stalled',
    type: 'boolean',
    default: DEFAULT_POLICY.stopStalled,
    description: 'Stop a run that stalls, and replace a trainer that stalls while it warms up',
  },
} as const satisfies Option;

/** What the container does with runs that fail, take too long or stall. */
export const RUN_OPTIONS: readonly Option[] = [
  TIMEOUT,
  MAX_RETRIES,
  BACKOFF_COEFFICIENT,
  INITIAL_DELAY,
  MAX_DELAY,
  STALL_TIMEOUT,
  STOP_STALLED,
];

/** The values of those RUN_OPTIONS that were given. */
export function runSettingsOf(given: ParameterValues): ContainerSettings {
  const retries = {
    ...numberOf(given, MAX_RETRIES.spec.name, (maxRetries) => ({ maxRetries })),
    ...numberOf(given, BACKOFF_COEFFICIENT.spec.name, (backoffCoefficient) => ({ backoffCoefficient })),
    ...numberOf(given, INITIAL_DELAY.spec.name, (value) => ({ initialDelayMs: value * SECOND_MS })),
    ...numberOf(given, MAX_DELAY.spec.name, (value) => ({ maxDelayMs: value * SECOND_MS })),
  };
  const stopStalled = given[STOP_STALLED.spec.name];
  return {
    ...(Object.keys(retries).length > 0 ? { retries } : {}),
    ...numberOf(given, TIMEOUT.spec.name, (value) => ({ runTimeoutMs: value * SECOND_MS })),
    ...numberOf(given, STALL_TIMEOUT.spec.name, (value) => ({ stallTimeoutMs: value * SECOND_MS })),
    ...(typeof stopStalled === 'boolean' ? { stopStalled } : {}),
  };
}

/** What a number makes of the settings, if it was given. */
export function numberOf<T>(given: ParameterValues, name: string, make: (value: number) => T): T | undefined {
  const value = given[name];
  return typeof value === 'number' ? make(value) : undefined;
}

function seconds(name: string, defaultMs: number, maximum: number, description: string) {
  return {
    spec: { name, type: 'number', default: defaultMs / SECOND_MS, minimum: 0, maximum, description },
    placeholder: 'SECONDS',
  } as const satisfies Option;
}
