export interface EpochFacts {
  train_loss: number;
  train_acc: number;
  val_loss: number;
  val_acc: number;
  lr: number;
  time_s: number;
}

/** The line that the design's training script logs. */
export function epochLine(epoch: number, epochs: number, facts: EpochFacts): string {
  const { train_loss, train_acc, val_loss, val_acc, lr, time_s } = facts;
  return (
    `Epoch ${String(epoch).padStart(3)}/${epochs} | Train loss: ${train_loss.toFixed(4)} acc: ${train_acc.toFixed(4)} | ` +
    `Val loss: ${val_loss.toFixed(4)} acc: ${val_acc.toFixed(4)} | LR: ${lr.toExponential(1)} | Time: ${time_s.toFixed(1)}s`
  );
}
