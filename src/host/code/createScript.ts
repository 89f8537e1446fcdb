import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as vscode from 'vscode';
import { SETTINGS_SECTION } from '../contributions';

/** A whole training that runs on any Python, to be replaced bit by bit. */
const SCRIPT = `"""A training for Tiny Cats: press Train, edit, press Rerun. What enter made stays in memory."""

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

export interface CreateScriptDeps {
  vs: Pick<typeof vscode, 'ConfigurationTarget' | 'Uri' | 'window' | 'workspace'>;
  /** Path of the workspace folder. */
  folder: string;
}

/** Writes a small working training script, opens it, and makes it what is trained. Writes over nothing. */
export async function createScript({ vs, folder }: CreateScriptDeps): Promise<void> {
  const file = freeName(folder);
  const uri = vs.Uri.file(join(folder, file));
  await vs.workspace.fs.writeFile(uri, Buffer.from(SCRIPT));
  await vs.workspace
    .getConfiguration(SETTINGS_SECTION, uri)
    .update('entrypoint', `${file}:Trainer.train`, vs.ConfigurationTarget.Workspace);
  await vs.window.showTextDocument(uri);
}

function freeName(folder: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'train.py' : `train_${number}.py`;
    if (!existsSync(join(folder, name))) {
      return name;
    }
  }
}
