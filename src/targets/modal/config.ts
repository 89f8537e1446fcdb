import * as v from 'valibot';
import { commonOptions } from '../commonOptions';
import { GPUS } from './gpus';

const text = (what: string) => v.pipe(v.string(`has to be ${what}`), v.nonEmpty(`has to be ${what}`));

/** A sandbox on Modal. */
export const modalConfigSchema = v.strictObject({
  kind: v.literal('modal'),
  ...commonOptions,
  app: v.optional(text('the name of a Modal app')),
  environment: v.optional(text('the name of a Modal environment')),
  gpu: v.optional(v.picklist(GPUS, `has to be one of ${GPUS.join(', ')}`), 'T4'),
  image: v.optional(text('the name of an image')),
  outputsVolume: v.optional(text('the name of a volume'), 'cats-model-outputs'),
  dataVolume: v.optional(text('the name of a volume'), 'cats-dataset'),
  /** How long a sandbox may live. */
  timeoutS: v.optional(
    v.pipe(v.number('has to be a number of seconds'), v.integer(), v.minValue(60)),
    86_400,
  ),
});
export type ModalConfig = v.InferOutput<typeof modalConfigSchema>;
