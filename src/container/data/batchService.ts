import { isMainThread, parentPort } from 'node:worker_threads';
import * as v from 'valibot';
import { AUGMENTATIONS } from '../../protocol/augmentation';
import { BatchFiller } from './batch';
import { errorText } from './dataError';
import { Random } from './random';

const rgb = v.strictTuple([v.number(), v.number(), v.number()]);

/** To a batch worker: images to be made into numbers. `images` and `out` are in shared memory. */
export const fillOrderSchema = v.object({
  id: v.number(),
  imageSize: v.number(),
  mean: rgb,
  std: rgb,
  augmentation: v.nullable(
    v.object({
      level: v.picklist(AUGMENTATIONS),
      origin: v.strictTuple([v.number(), v.number(), v.number(), v.number()]),
    }),
  ),
  images: v.instance(Uint8Array),
  positions: v.instance(Int32Array),
  indices: v.instance(Int32Array),
  out: v.instance(Float32Array),
});
export type FillOrder = Omit<v.InferOutput<typeof fillOrderSchema>, 'images' | 'out'> & {
  images: Uint8Array;
  out: Float32Array;
};

/** From a batch worker: first that it listens, then one for each order. */
export const batchReplySchema = v.variant('type', [
  v.object({ type: v.literal('ready') }),
  v.object({ type: v.literal('filled'), id: v.number() }),
  v.object({ type: v.literal('failed'), id: v.number(), message: v.string() }),
]);
export type BatchReply = v.InferOutput<typeof batchReplySchema>;

/** Fills batches in this worker thread until it is terminated. */
export function serveBatches(): void {
  const port = parentPort;
  if (isMainThread || !port) throw new Error('Batches are served in a worker thread only.');
  const reply = (message: BatchReply): void => port.postMessage(message);
  port.on('message', (message: unknown) => {
    const order = v.parse(fillOrderSchema, message);
    try {
      fill(order);
      reply({ type: 'filled', id: order.id });
    } catch (error) {
      reply({ type: 'failed', id: order.id, message: errorText(error) });
    }
  });
  reply({ type: 'ready' });
}

function fill({ imageSize, mean, std, augmentation, images, positions, indices, out }: FillOrder): void {
  const varied = augmentation && {
    augmentation: { level: augmentation.level, random: Random.from(augmentation.origin) },
  };
  new BatchFiller(imageSize, { mean, std, ...varied }).fill(images, positions, indices, out);
}
