/** A whole training that runs on any Python, to be replaced bit by bit. */
export const PYTHON_SCRIPT = `"""A training for Tiny Cats: press Train, edit, press Rerun. What enter made stays in memory."""

import random

import tinycats


class Trainer:
    @tinycats.enter
    def enter(self):
        """Runs once for each container: imports, data, whatever takes long to load."""
        draw = random.Random(0)
        self.data = [(x, 3 * x - 2 + draw.gauss(0, 0.1)) for x in (draw.uniform(-1, 1) for _ in range(1000))]

    @tinycats.train
    def train(self, epochs: int = 10, lr: float = 0.1):
        """Fits a line to points.

        Args:
            epochs: Passes over the data
            lr: Learning rate
        """
        slope, offset, loss = 0.0, 0.0, 0.0
        for epoch in range(1, epochs + 1):
            errors = [(slope * x + offset - y, x) for x, y in self.data]
            loss = sum(error * error for error, _ in errors) / len(errors)
            slope -= lr * 2 * sum(error * x for error, x in errors) / len(errors)
            offset -= lr * 2 * sum(error for error, _ in errors) / len(errors)
            # Any name becomes a curve. Printed lines such as "epoch 3/10 loss: 0.4" are read as well.
            tinycats.log(epoch=epoch, epochs=epochs, train_loss=loss, slope=slope, lr=lr)
            print(f"slope {slope:.3f}, offset {offset:.3f}")
        return {"loss": loss, "slope": slope, "offset": offset}
`;

/** The same in TypeScript, for the Node of the container. */
export const TYPESCRIPT_SCRIPT = `// A training for Tiny Cats: press Train, edit, press Rerun. What enter made stays in memory.

/** What Tiny Cats hands to enter and train. */
interface TinyCats {
  /** Any name becomes a curve. Printed lines such as "epoch 3/10 loss: 0.4" are read as well. */
  log(metrics: Record<string, number>): void;
  /** A file that train has written, to be kept with the run. */
  checkpoint(path: string): void;
  /** Aborted when the run is to stop; log throws then. */
  signal: AbortSignal;
  /** What enter returned. */
  entered: Data;
}

interface Data {
  points: { x: number; y: number }[];
}

/** The form and the command line's options; a comment at the end of a line describes it. */
export const parameters = {
  epochs: 10, // Passes over the data
  lr: 0.1, // Learning rate
};

/** Runs once for each container: whatever takes long to load. */
export async function enter(): Promise<Data> {
  const points = Array.from({ length: 1000 }, (_, index) => {
    const x = index / 500 - 1;
    return { x, y: 3 * x - 2 + 0.1 * Math.sin(index * 12.9898) };
  });
  return { points };
}

/** Fits a line to points. */
export async function train({ epochs, lr }: typeof parameters, tinycats: TinyCats) {
  const { points } = tinycats.entered;
  let [slope, offset, loss] = [0, 0, 0];
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    const errors = points.map(({ x, y }) => slope * x + offset - y);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    loss = mean(errors.map((error) => error * error));
    slope -= lr * 2 * mean(errors.map((error, index) => error * points[index].x));
    offset -= lr * 2 * mean(errors);
    tinycats.log({ epoch, epochs, train_loss: loss, slope, lr });
    // Lets Tiny Cats get a word in, such as that the run is to stop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { loss, slope, offset };
}
`;
