import type { ParameterValues } from '../protocol/parameters';
import type { RunPolicy } from '../protocol/rpc';
import { RUN_DEFAULTS } from '../protocol/rpc';
import type { Option } from './options';

const SECOND_MS = 1000;
const MAX_SECONDS = 1_000_000;
const MAX_DELAY_SECONDS = 3600;
const { retries } = RUN_DEFAULTS;

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
  RUN_DEFAULTS.runTimeoutMs,
  MAX_SECONDS,
  'How long a run may take, retries included; 0: as long as it takes',
);
const STALL_TIMEOUT = seconds(
  'stall_timeout',
  RUN_DEFAULTS.stallTimeoutMs,
  MAX_SECONDS,
  'A run without progress for that long is reported; 0: never',
);

const STOP_STALLED = {
  spec: {
    name: 'stop_stalled',
    type: 'boolean',
    default: RUN_DEFAULTS.stopStalled,
    description: 'Stop a run that stalls',
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

/** The values of RUN_OPTIONS. */
export function runSettingsOf(given: ParameterValues): RunPolicy {
  const number = ({ spec }: { spec: { name: string; default: number } }): number => {
    const value = given[spec.name];
    return typeof value === 'number' ? value : spec.default;
  };
  return {
    retries: {
      maxRetries: number(MAX_RETRIES),
      backoffCoefficient: number(BACKOFF_COEFFICIENT),
      initialDelayMs: number(INITIAL_DELAY) * SECOND_MS,
      maxDelayMs: number(MAX_DELAY) * SECOND_MS,
    },
    runTimeoutMs: number(TIMEOUT) * SECOND_MS,
    stallTimeoutMs: number(STALL_TIMEOUT) * SECOND_MS,
    stopStalled: given[STOP_STALLED.spec.name] === true,
  };
}

function seconds(name: string, defaultMs: number, maximum: number, description: string) {
  return {
    spec: { name, type: 'number', default: defaultMs / SECOND_MS, minimum: 0, maximum, description },
    placeholder: 'SECONDS',
  } as const satisfies Option;
}
