import type { ReplicaGroup } from '../../replicas';

/**
 * Replaces this replica's mean and biased variance, each [channels] over `rows` values, by those over all replicas
 * (Chan, Golub and LeVeque, 1983).
 */
export function joinMoments(
  group: ReplicaGroup,
  rows: number,
  mean: Float32Array,
  variance: Float32Array,
): void {
  const channels = mean.length;
  const own = new Float32Array(1 + 2 * channels);
  own[0] = rows;
  own.set(mean, 1);
  own.set(variance, 1 + channels);
  const parts = group.gather(own);
  const total = parts.reduce((sum, part) => sum + (part[0] ?? 0), 0);
  for (let c = 0; c < channels; c++) {
    let joint = 0;
    for (const part of parts) joint += ((part[0] ?? 0) / total) * (part[1 + c] ?? 0);
    let spread = 0;
    for (const part of parts) {
      const distance = (part[1 + c] ?? 0) - joint;
      spread += ((part[0] ?? 0) / total) * ((part[1 + channels + c] ?? 0) + distance * distance);
    }
    mean[c] = joint;
    variance[c] = spread;
  }
}

/** Replaces this replica's values by their sums over all replicas. */
export function sumOver(group: ReplicaGroup, values: Float32Array): void {
  const parts = group.gather(values);
  for (let i = 0; i < values.length; i++) {
    let sum = 0;
    for (const part of parts) sum += part[i] ?? 0;
    values[i] = sum;
  }
}
