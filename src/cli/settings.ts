import { resolve } from 'node:path';
import type { EngineChoice } from '../protocol/container';
import { engineChoiceSchema } from '../protocol/container';
import type { ParameterValues } from '../protocol/parameters';
import { parseParameter } from '../protocol/parameters';
import type { ContainerSettings } from '../protocol/rpc';
import { DEFAULT_POLICY } from '../protocol/rpc';
import { parse } from '../protocol/schema';
import type { TargetConfig } from '../targets/config';
import { LOCAL_TARGET, priceOf } from '../targets/config';
import { UsageError } from './errors';
import type { Option } from './options';
import { numberOf, RUN_OPTIONS, runSettingsOf } from './runSettings';
import { configOf } from './targetFiles';
import { optionName } from './text';

const OUTPUTS_DIR = {
  spec: {
    name: 'outputs_dir',
    type: 'text',
    default: 'outputs',
    description: 'Folder of the outputs volume: checkpoints, logs, run history',
  },
  placeholder: 'DIR',
  env: 'TINY_CATS_OUTPUTS',
} as const satisfies Option;

const DATA_VOLUME = {
  spec: {
    name: 'data_volume',
    type: 'text',
    default: '.tiny-cats/data',
    description: 'Folder of the data volume: sample data set, decoded images',
  },
  placeholder: 'DIR',
  env: 'TINY_CATS_DATA',
} as const satisfies Option;

const ENGINE: Option = {
  spec: {
    name: 'engine',
    type: 'choice',
    default: 'auto',
    choices: [...engineChoiceSchema.options],
    description: 'What computes, in a container that has yet to start',
  },
};

const PORT = {
  spec: {
    name: 'port',
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 65_535,
    description: 'Port on 127.0.0.1 of a container that has yet to start; 0: any that is free',
  },
} as const satisfies Option;

const SCALEDOWN_WINDOW = {
  spec: {
    name: 'scaledown_window',
    type: 'integer',
    default: DEFAULT_POLICY.scaledownWindowMs / 1000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'How long an idle container stays warm',
  },
  placeholder: 'SECONDS',
} as const satisfies Option;

const KEEP_DATES = {
  spec: {
    name: 'keep_dates',
    type: 'integer',
    default: DEFAULT_POLICY.keepDates,
    minimum: 0,
    description: 'How many days with runs keep their checkpoints, the newest ones; 0: all',
  },
} as const satisfies Option;

const JSON_OUTPUT = {
  spec: {
    name: 'json',
    type: 'boolean',
    default: false,
    description: 'Write JSON to stdout, and nothing else',
  },
} as const satisfies Option;

const HELP = {
  spec: { name: 'help', type: 'boolean', default: false, description: 'Show this help' },
  short: 'h',
} as const satisfies Option;

const TARGET = {
  spec: {
    name: 'target',
    type: 'text',
    default: LOCAL_TARGET.name,
    description: 'Where the container lives; "tiny-cats targets" lists what there is',
  },
  placeholder: 'NAME',
  env: 'TINY_CATS_TARGET',
} as const satisfies Option;

/** Options that every command takes. */
export const COMMON_OPTIONS: readonly Option[] = [
  TARGET,
  OUTPUTS_DIR,
  DATA_VOLUME,
  ENGINE,
  PORT,
  SCALEDOWN_WINDOW,
  KEEP_DATES,
  ...RUN_OPTIONS,
  JSON_OUTPUT,
  HELP,
];

export interface Settings {
  /** Where the container lives. */
  target: TargetConfig;
  /** Absolute. */
  outputsDir: string;
  /** Absolute. */
  dataDir: string;
  engine: EngineChoice;
  port: number;
  /** What was given: a container that others use, too, keeps the rest. */
  container: ContainerSettings;
  json: boolean;
  help: boolean;
}

/**
 * The common options' values: what was given, else what the environment says, else the default.
 * @param cwd what relative folders are relative to
 * @throws UsageError for a folder without a name
 */
export function settingsOf(given: ParameterValues, env: NodeJS.ProcessEnv, cwd: string): Settings {
  const target = configOf(cwd, nameOfTarget(given, env));
  return {
    target,
    outputsDir: folder(OUTPUTS_DIR, given, env, cwd),
    dataDir: folder(DATA_VOLUME, given, env, cwd),
    engine: parse(engineChoiceSchema, given.engine ?? 'auto', '--engine'),
    port: numberValue(given, PORT.spec),
    container: {
      ...(priceOf(target) === 0 ? {} : { pricePerHour: priceOf(target) }),
      ...numberOf(given, SCALEDOWN_WINDOW.spec.name, (value) => ({ scaledownWindowMs: value * 1000 })),
      ...numberOf(given, KEEP_DATES.spec.name, (keepDates) => ({ keepDates })),
      ...runSettingsOf(given),
    },
    json: flag(given, 'json'),
    help: flag(given, 'help'),
  };
}

function nameOfTarget(given: ParameterValues, env: NodeJS.ProcessEnv): string {
  const name = given[TARGET.spec.name] ?? env[TARGET.env];
  return typeof name === 'string' && name !== '' ? name : TARGET.spec.default;
}

/** Whether a boolean option was given. */
export function flag(given: ParameterValues, name: string): boolean {
  return given[name] === true;
}

/** The number that was given for an option, or its default. */
export function numberValue(given: ParameterValues, spec: { name: string; default: number }): number {
  const value = given[spec.name];
  return typeof value === 'number' ? value : spec.default;
}

function folder(
  { spec, env: variable }: typeof OUTPUTS_DIR | typeof DATA_VOLUME,
  given: ParameterValues,
  env: NodeJS.ProcessEnv,
  cwd: string,
): string {
  const value = given[spec.name];
  if (typeof value === 'string') {
    if (value.trim() === '') {
      throw new UsageError(`--${optionName(spec.name)} needs the path of a folder.`);
    }
    return resolve(cwd, value);
  }
  const fromEnv = env[variable];
  return resolve(
    cwd,
    fromEnv === undefined || fromEnv === '' ? spec.default : String(parseParameter(spec, fromEnv)),
  );
}
