import { GPUS } from '../targets/modal/gpus';
import type { Retries } from '../protocol/rpc';
import { ModalExportError } from './exportError';

/** What is frozen when the app is deployed, so that later containers begin there. */
export const SNAPSHOTS = ['none', 'memory', 'gpu'] as const;
export type Snapshot = (typeof SNAPSHOTS)[number];

/** What an app is written with, from the user's settings. */
export interface AppSettings {
  app: string;
  gpu: string;
  outputsVolume: string;
  dataVolume: string;
  retries: Retries;
  /** 0: as long as Modal allows. */
  timeoutMs: number;
  scaledownWindowMs: number;
  snapshot: Snapshot;
}

const SECOND_MS = 1000;
const MAX_TIMEOUT_S = 86_400;
const MIN_WINDOW_S = 2;
const MAX_WINDOW_S = 1200;
const MAX_DELAY_S = 60;
const MAX_RETRIES = 10;
const OBJECT_NAME = /^[\w.-]{1,63}$/;

/** The settings as Modal takes them. */
export interface CheckedSettings extends AppSettings {
  timeoutS: number;
  scaledownWindowS: number;
  initialDelayS: number;
  maxDelayS: number;
}

/** @throws ModalExportError for the first that Modal does not take, naming the setting, its value and its range */
export function checkSettings(settings: AppSettings): CheckedSettings {
  const { retries } = settings;
  if (!GPUS.some((gpu) => gpu === settings.gpu)) {
    refuse('the GPU', settings.gpu, `one of ${GPUS.join(', ')}`);
  }
  if (!SNAPSHOTS.some((snapshot) => snapshot === settings.snapshot)) {
    refuse('the snapshot', settings.snapshot, `one of ${SNAPSHOTS.join(', ')}`);
  }
  if (settings.snapshot === 'gpu' && settings.gpu === 'none') {
    refuse('the snapshot', 'gpu', 'none or memory where there is no GPU');
  }
  for (const [what, name] of [
    ['the name of the app', settings.app],
    ['the outputs volume', settings.outputsVolume],
    ['the data volume', settings.dataVolume],
  ] as const) {
    if (!OBJECT_NAME.test(name)) {
      refuse(what, name, 'letters without accents, digits, dashes, dots and underscores, 63 at most');
    }
  }
  within('the number of retries', retries.maxRetries, 0, MAX_RETRIES, '');
  within('the backoff coefficient', retries.backoffCoefficient, 1, 10, '');
  return {
    ...settings,
    initialDelayS: within('the initial delay', retries.initialDelayMs / SECOND_MS, 0, MAX_DELAY_S, ' s'),
    maxDelayS: within('the maximum delay', retries.maxDelayMs / SECOND_MS, 1, MAX_DELAY_S, ' s'),
    timeoutS:
      settings.timeoutMs === 0
        ? MAX_TIMEOUT_S
        : within('the run time-out', Math.ceil(settings.timeoutMs / SECOND_MS), 1, MAX_TIMEOUT_S, ' s'),
    scaledownWindowS: within(
      'the scaledown window',
      Math.round(settings.scaledownWindowMs / SECOND_MS),
      MIN_WINDOW_S,
      MAX_WINDOW_S,
      ' s',
    ),
  };
}

function within(what: string, value: number, minimum: number, maximum: number, unit: string): number {
  if (!(value >= minimum && value <= maximum)) {
    refuse(what, `${value}${unit}`, `${minimum} to ${maximum}${unit}`);
  }
  return value;
}

function refuse(what: string, value: string, expected: string): never {
  throw new ModalExportError(`On Modal ${what} has to be ${expected}, not ${JSON.stringify(value)}.`);
}
