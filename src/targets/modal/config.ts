import * as v from 'valibot';
import { commonOptions } from '../commonOptions';
import { GPUS } from './gpus';

const text = (what: string) => v.pipe(v.string(`has to be ${what}`), v.nonEmpty(`has to be ${what}`));
/** Modal's rule for the names of its objects. */
const objectName = (what: string) =>
  v.pipe(
    v.string(`has to be the name of ${what}`),
    v.regex(/^[\w.-]{1,63}$/, `has to be the name of ${what}: letters, digits, dashes, dots and underscores`),
  );
const MIN_TIMEOUT_S = 60;
const MAX_TIMEOUT_S = 86_400;
const TIMEOUT = `has to be a whole number of seconds, ${MIN_TIMEOUT_S} to ${MAX_TIMEOUT_S}`;

/** A sandbox on Modal. */
export const modalConfigSchema = v.strictObject({
  kind: v.literal('modal'),
  ...commonOptions,
  app: v.optional(objectName('a Modal app'), 'tiny-cats'),
  environment: v.optional(text('the name of a Modal environment')),
  /** One of Modal's own configuration; the active one if none is named. */
  profile: v.optional(text('the name of a Modal profile')),
  gpu: v.optional(v.picklist(GPUS, `has to be one of ${GPUS.join(', ')}`), 'T4'),
  /** From a registry, with Node 20 or later, tar and gzip in it. */
  image: v.optional(text('the name of an image')),
  outputsVolume: v.optional(objectName('a volume'), 'cats-model-outputs'),
  dataVolume: v.optional(objectName('a volume'), 'cats-dataset'),
  /** How long a sandbox may live. */
  timeoutS: v.optional(
    v.pipe(
      v.number(TIMEOUT),
      v.integer(TIMEOUT),
      v.minValue(MIN_TIMEOUT_S, TIMEOUT),
      v.maxValue(MAX_TIMEOUT_S, TIMEOUT),
    ),
    MAX_TIMEOUT_S,
  ),
});
export type ModalConfig = v.InferOutput<typeof modalConfigSchema>;
