/** Whether a checkpoint's tensor of that name belongs to the optimiser, not to the network. */
export function isTrainingState(name: string): boolean {
  return /^(optimizer|average)\//.test(name);
}
