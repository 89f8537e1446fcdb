import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import * as v from 'valibot';
import type { EngineChoice } from '../protocol/container';
import { engineChoiceSchema } from '../protocol/container';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import { ParameterError, checkParameters, parameterValuesSchema } from '../protocol/parameters';
import type { ContainerSettings, Retries, WhenBusy } from '../protocol/rpc';
import type { RemoteTargetConfig, TargetConfig } from '../targets/config';
import { LOCAL_TARGET, TargetConfigError, findTarget, parseTargets, priceOf } from '../targets/config';
import type { SettingName } from './contributions';
import { SETTINGS, SETTINGS_SECTION } from './contributions';

export interface HostSettings {
  /** Where the container lives. */
  target: TargetConfig;
  /** All that can be chosen, beside the local one. */
  targets: readonly RemoteTargetConfig[];
  outputsDir: string;
  dataDir: string;
  engine: EngineChoice;
  /** The user's own code, as in `Program`; empty: none. */
  entrypoint: string;
  /** Empty: whichever is there. */
  pythonInterpreter: string;
  metricPatterns: string[];
  port: number;
  scaledownWindowMs: number;
  keepDates: number;
  /** 0: no limit. */
  maxWarmMs: number;
  retries: Retries;
  runTimeoutMs: number;
  stallTimeoutMs: number;
  stopStalled: boolean;
  whenBusy: WhenBusy;
  /** Only what the setting names; checked against the recipe. */
  defaultParameters: ParameterValues;
}

/** A setting has a value that cannot be used; `message` names the setting, the value and what was expected. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(
    readonly setting: SettingName,
    message: string,
  ) {
    super(`The setting ${SETTINGS_SECTION}.${setting} ${message}`);
  }
}

const MINUTE_MS = 60_000;
const SECOND_MS = 1000;
const MAX_DELAY_S = 3600;
const MIN_WINDOW_MINUTES = 0.1;
const MAX_PORT = 65_535;

const schemas = {
  target: v.string('has to be the name of a target'),
  folder: v.pipe(
    v.string('has to be the path of a folder'),
    v.trim(),
    v.nonEmpty('has to be the path of a folder'),
    v.check((text) => !text.includes('\0'), 'has to be the path of a folder'),
  ),
  scaledownWindow: v.pipe(
    v.number('has to be a number of minutes'),
    v.finite('has to be a number of minutes'),
    v.minValue(MIN_WINDOW_MINUTES, `has to be at least ${MIN_WINDOW_MINUTES} minutes`),
  ),
  maxWarmTime: numberIn(
    'has to be a number of minutes of at least 0',
    0,
    Number.MAX_SAFE_INTEGER / MINUTE_MS,
  ),
  engine: v.picklist(engineChoiceSchema.options, `has to be one of ${engineChoiceSchema.options.join(', ')}`),
  entrypoint: v.pipe(
    v.string('has to be text'),
    v.trim(),
    v.check(
      (text) => text === '' || /\.(py|[mc]?[jt]s)(:[^/\\:]+)?$/.test(text),
      'has to name a Python file of this folder and what to train in it, such as src/train.py:train, or a TypeScript file',
    ),
    v.check(
      (text) => !isAbsolute(text) && !text.split(/[/\\]/).includes('..'),
      'has to be a file inside this folder',
    ),
  ),
  pythonInterpreter: v.pipe(
    v.string('has to be the path of a Python interpreter'),
    v.trim(),
    v.check((text) => !text.includes('\0'), 'has to be the path of a Python interpreter'),
  ),
  metricPatterns: v.array(
    v.pipe(
      v.string('has to be a list of regular expressions'),
      v.check(
        hasNamedGroup,
        'has to hold regular expressions with named groups, such as loss=(?<train_loss>\\S+)',
      ),
    ),
    'has to be a list of regular expressions',
  ),
  port: wholeNumber(`has to be a port number, 0 (any free one) to ${MAX_PORT}`, MAX_PORT),
  keepCheckpointDates: wholeNumber('has to be a whole number of at least 0', Number.MAX_SAFE_INTEGER),
  maxRetries: wholeNumber('has to be a whole number, 0 to 1000', 1000),
  backoffCoefficient: numberIn('has to be a number, 1 to 10', 1, 10),
  delay: numberIn(`has to be a number of seconds, 0 to ${MAX_DELAY_S}`, 0, MAX_DELAY_S),
  seconds: numberIn('has to be a number of seconds of at least 0', 0, Number.MAX_SAFE_INTEGER / SECOND_MS),
  stopStalled: v.boolean('has to be true or false'),
  whenBusy: v.picklist(['refuse', 'queue'], 'has to be "refuse" or "queue"'),
  defaultParameters: v.pipe(
    v.record(v.string(), v.unknown(), 'has to be an object of parameters'),
    v.check((value) => v.is(parameterValuesSchema, value), 'may hold only texts, numbers, true and false'),
  ),
};

function hasNamedGroup(text: string): boolean {
  try {
    // Python writes (?P<name>…) what JavaScript writes (?<name>…); both are taken.
    return /\(\?P?<[A-Za-z_]/.test(text) && new RegExp(text.replaceAll('(?P<', '(?<')).source !== '';
  } catch {
    return false;
  }
}

function wholeNumber(message: string, maximum: number) {
  return v.pipe(v.number(message), v.integer(message), v.minValue(0, message), v.maxValue(maximum, message));
}

function numberIn(message: string, minimum: number, maximum: number) {
  return v.pipe(
    v.number(message),
    v.finite(message),
    v.minValue(minimum, message),
    v.maxValue(maximum, message),
  );
}

/** What of them the container is told. */
export function containerSettings(settings: HostSettings): ContainerSettings {
  const { scaledownWindowMs, keepDates, maxWarmMs, retries, target } = settings;
  const { runTimeoutMs, stallTimeoutMs, stopStalled } = settings;
  return {
    scaledownWindowMs,
    keepDates,
    maxWarmMs,
    pricePerHour: priceOf(target),
    retries,
    runTimeoutMs,
    stallTimeoutMs,
    stopStalled,
  };
}

export interface SettingsSource {
  /** Value of a setting, by its name without the section. */
  get: (name: SettingName) => unknown;
  /** Path of the workspace folder that relative paths start from. */
  folder: string;
  recipe: RecipeSpec;
}

/**
 * Reads and checks all settings.
 * @throws SettingsError for the first setting that cannot be used
 */
export function readSettings(source: SettingsSource): HostSettings {
  return read(source, (error) => {
    throw error;
  });
}

/** The settings with the default in place of each that cannot be used: enough to show what is there. */
export function readUsableSettings(source: SettingsSource): HostSettings {
  return read(source, () => undefined);
}

function read(
  { get, folder, recipe }: SettingsSource,
  refuse: (error: SettingsError) => undefined,
): HostSettings {
  const value = <T extends v.GenericSchema>(name: SettingName, schema: T): v.InferOutput<T> => {
    const given = get(name) ?? SETTINGS[name].default;
    const result = v.safeParse(schema, given, { abortEarly: true });
    if (result.success) {
      return result.output;
    }
    refuse(new SettingsError(name, `${result.issues[0].message}, not ${JSON.stringify(given)}.`));
    return v.parse(schema, SETTINGS[name].default);
  };
  const targets = checkTargets(get('targets') ?? SETTINGS.targets.default, refuse);
  return {
    targets,
    target: chooseTarget(targets, value('target', schemas.target), refuse),
    outputsDir: resolveFolder(folder, value('outputsFolder', schemas.folder)),
    dataDir: resolveFolder(folder, value('dataFolder', schemas.folder)),
    engine: value('engine', schemas.engine),
    entrypoint: value('entrypoint', schemas.entrypoint),
    pythonInterpreter: value('pythonInterpreter', schemas.pythonInterpreter),
    metricPatterns: value('metricPatterns', schemas.metricPatterns),
    port: value('port', schemas.port),
    scaledownWindowMs: Math.max(1000, value('scaledownWindow', schemas.scaledownWindow) * MINUTE_MS),
    maxWarmMs: value('maxWarmTime', schemas.maxWarmTime) * MINUTE_MS,
    keepDates: value('keepCheckpointDates', schemas.keepCheckpointDates),
    retries: {
      maxRetries: value('retries.maxRetries', schemas.maxRetries),
      backoffCoefficient: value('retries.backoffCoefficient', schemas.backoffCoefficient),
      initialDelayMs: value('retries.initialDelay', schemas.delay) * SECOND_MS,
      maxDelayMs: value('retries.maxDelay', schemas.delay) * SECOND_MS,
    },
    runTimeoutMs: value('runTimeout', schemas.seconds) * SECOND_MS,
    stallTimeoutMs: value('stallTimeout', schemas.seconds) * SECOND_MS,
    stopStalled: value('stopStalled', schemas.stopStalled),
    whenBusy: value('whenBusy', schemas.whenBusy),
    defaultParameters: checkDefaults(
      recipe,
      value('entrypoint', schemas.entrypoint),
      value('defaultParameters', schemas.defaultParameters),
      refuse,
    ),
  };
}

function checkTargets(given: unknown, refuse: (error: SettingsError) => undefined): RemoteTargetConfig[] {
  try {
    return parseTargets(given);
  } catch (error) {
    if (error instanceof TargetConfigError) {
      refuse(new SettingsError('targets', error.message));
      return [];
    }
    throw error;
  }
}

function chooseTarget(
  targets: readonly RemoteTargetConfig[],
  name: string,
  refuse: (error: SettingsError) => undefined,
): TargetConfig {
  try {
    return findTarget(targets, name);
  } catch (error) {
    if (error instanceof TargetConfigError) {
      refuse(new SettingsError('target', error.message));
      return LOCAL_TARGET;
    }
    throw error;
  }
}

function checkDefaults(
  recipe: RecipeSpec,
  entrypoint: string,
  value: unknown,
  refuse: (error: SettingsError) => undefined,
): ParameterValues {
  const given = v.parse(parameterValuesSchema, value);
  if (entrypoint !== '') {
    // What the user's code takes is known once its source has been read: it is checked then.
    return given;
  }
  try {
    checkParameters(recipe, given);
    return given;
  } catch (error) {
    if (error instanceof ParameterError) {
      refuse(new SettingsError('defaultParameters', `cannot be used: ${error.message}`));
      return {};
    }
    throw error;
  }
}

/** The absolute path of a folder as a person writes it: relative to the workspace folder, or from `~`. */
export function resolveFolder(workspaceFolder: string, text: string): string {
  const path = text.replaceAll('${workspaceFolder}', workspaceFolder);
  if (path === '~' || /^~[/\\]/.test(path)) {
    return join(homedir(), path.slice(1));
  }
  return isAbsolute(path) ? resolve(path) : resolve(workspaceFolder, path);
}
