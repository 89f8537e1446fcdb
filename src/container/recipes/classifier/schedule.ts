/**
 * Learning rate of a step: grows linearly over the warm-up, then falls along half a cosine to 0
 * (Loshchilov and Hutter, "SGDR", 2017, without restarts).
 * @param step number of the step over the whole run, from 0
 */
export function learningRate(
  step: number,
  { highest, warmupSteps, totalSteps }: { highest: number; warmupSteps: number; totalSteps: number },
): number {
  if (step < warmupSteps) {
    return (highest * (step + 1)) / warmupSteps;
  }
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return (highest * (1 + Math.cos(Math.PI * progress))) / 2;
}
