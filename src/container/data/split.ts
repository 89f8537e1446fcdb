import { Random } from './random';

/** Indices into a data set: no index is in both. */
export type Split = { readonly train: Int32Array; readonly validation: Int32Array };

/**
 * Splits by class, so that every class has nearly the same share on both sides. A class of two or more images has at
 * least one on each side; a class of one image trains only. A fraction of 0 leaves the validation side empty.
 *
 * @param labels class index of each image, shape [N]
 * @param validationFraction share of the validation side, in [0, 1)
 * @throws {RangeError} if the fraction is outside [0, 1)
 */
export function splitByClass(labels: Int32Array, validationFraction: number, seed: number): Split {
  if (!(validationFraction >= 0 && validationFraction < 1)) {
    throw new RangeError(`val_split must be at least 0 and below 1, not ${validationFraction}.`);
  }
  const byClass = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const members = byClass.get(label);
    if (members) members.push(index);
    else byClass.set(label, [index]);
  });
  const train: number[] = [];
  const validation: number[] = [];
  for (const [label, members] of byClass) {
    const order = Random.seeded('split', seed, label).shuffle(Int32Array.from(members));
    const wanted = Math.round(members.length * validationFraction);
    const count =
      validationFraction === 0 || members.length < 2 ? 0 : Math.min(Math.max(wanted, 1), members.length - 1);
    validation.push(...order.subarray(0, count));
    train.push(...order.subarray(count));
  }
  return { train: Int32Array.from(train).sort(), validation: Int32Array.from(validation).sort() };
}

/** The training indices in the order of one epoch (from 0): a fresh array, the same for the same seed and epoch. */
export function epochOrder(train: Int32Array, seed: number, epoch: number): Int32Array {
  return Random.seeded('epoch', seed, epoch).shuffle(train.slice());
}
