import { Random } from '../../../../src/container/data/random';
import type { Engine } from '../../../../src/container/engines/engine';
import { createLearner } from '../../../../src/container/parallel/createLearner';
import { flowBatch } from '../../../../src/container/recipes/dit/flow';
import type { DitShape } from '../../../../src/container/recipes/dit/network';
import { ditTask } from '../../../../src/container/recipes/dit/task';
import type { Batch, Learner } from '../../../../src/container/recipes/task';

export const SMALL: DitShape = { imageSize: 8, patchSize: 2, width: 16, depth: 2, heads: 2, classes: 2 };

export function learnerFor(engine: Engine, shape: DitShape = SMALL): Promise<Learner> {
  const optimizer = { beta1: 0.9, beta2: 0.95, averageDecay: 0.9 };
  return createLearner(ditTask, { ...shape }, { engine, optimizer });
}

/** Images of one colour, by class: dark ones and bright ones, with a noise of their own. */
export function toyBatch(count: number, seed: number, shape: DitShape = SMALL): Batch {
  const random = Random.seeded('toy', seed);
  const labels = Int32Array.from({ length: count }, () => random.int(2));
  const pixels = shape.imageSize ** 2 * 3;
  const images = Float32Array.from({ length: count * pixels }, (_, index) => {
    const bright = labels[Math.floor(index / pixels)] === 1;
    return (bright ? 0.7 : -0.7) + 0.05 * random.normal();
  });
  return flowBatch(images, labels, random, { shape, classDropout: 0.1 });
}

/** The first `count` examples of a batch from `from` on. */
export function partOf(batch: Batch, from: number, count: number): Batch {
  return Object.fromEntries(
    Object.entries(batch).map(([name, { data, shape }]) => {
      const length = data.length / (shape[0] ?? 1);
      const part = data.slice(from * length, (from + count) * length);
      return [name, { data: part, shape: [count, ...shape.slice(1)] }];
    }),
  );
}
