/**
 * What a user of PyTorch waits for from a request to the first training step: a cold container, a warm rerun, `python3 train.py`
 * started afresh, a Jupyter kernel that has torch imported. Side by side and in turns, since times swing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PythonSide } from './pythonSide';
import { median } from './statistics';
import type { Torch } from './torchSide';

const EDITS = 100;

/** It times itself from its beginning to the end of its first step, so that what a request adds to it can be told. */
const TRAIN = `
import time

import torch
from torch import nn

EDIT = 0


def train():
    begun = time.perf_counter()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    images, labels = torch.randn(32, 3, 32, 32), torch.randint(0, 2, (32,))
    model(images)
    optimizer = torch.optim.AdamW(model.parameters())

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    step()
    return {"step_ms": (time.perf_counter() - begun) * 1000, "edit": EDIT}


if __name__ == "__main__":
    train()
`;

export interface PythonFigures {
  readonly coldFirstStepMs: number;
  readonly warmFirstStepMs: number;
  /** Model and first step alone, as the code itself times them. */
  readonly bareStepMs: number;
  /** Of a warm rerun over the bare step, the median of the differences. */
  readonly warmOverheadMs: number;
  readonly freshProcessMs: number;
  /** null where there is no Jupyter. */
  readonly jupyterMs: number | null;
  readonly freshOverWarm: number;
  readonly jupyterOverWarm: number | null;
  /** Edited files that the next run ran, of `edits`. */
  readonly editsRun: number;
  readonly edits: number;
}

export async function measurePython(rounds: number, { python }: Torch): Promise<PythonFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tiny-cats-bench-python-'));
  const file = join(folder, 'train.py');
  writeFileSync(file, TRAIN);
  const script = resolve('dist/python/tinycats_trainer.py');
  const fresh = (): number => {
    const askedAt = performance.now();
    const { status, stderr } = spawnSync(python, [file], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`train.py failed: ${stderr}`);
    return performance.now() - askedAt;
  };
  const times: { cold: number; warm: number; bare: number; fresh: number; jupyter: number | null }[] = [];
  try {
    // A round that does not count: the system's caches fill.
    fresh();
    for (let round = 0; round < rounds; round += 1) {
      const side = new PythonSide(python, script, folder);
      const cold = (await side.run()).firstStepMs;
      await side.run();
      const warm = await side.run();
      await side.end();
      times.push({
        cold,
        warm: warm.firstStepMs,
        bare: warm.stepMs,
        fresh: fresh(),
        jupyter: jupyterMs(python, folder),
      });
    }
    const all = (pick: (time: (typeof times)[number]) => number): number => median(times.map(pick));
    const jupyter = times.flatMap((time) =>
      time.jupyter === null ? [] : [{ ...time, jupyter: time.jupyter }],
    );
    return {
      coldFirstStepMs: all(({ cold }) => cold),
      warmFirstStepMs: all(({ warm }) => warm),
      bareStepMs: all(({ bare }) => bare),
      warmOverheadMs: all(({ warm, bare }) => warm - bare),
      freshProcessMs: all((time) => time.fresh),
      freshOverWarm: all((time) => time.fresh / time.warm),
      jupyterMs: jupyter.length > 0 ? median(jupyter.map((time) => time.jupyter)) : null,
      jupyterOverWarm: jupyter.length > 0 ? median(jupyter.map((time) => time.jupyter / time.warm)) : null,
      editsRun: await editsRun(python, script, folder),
      edits: EDITS,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Edits that keep the file's size, one before each run. */
async function editsRun(python: string, script: string, folder: string): Promise<number> {
  const side = new PythonSide(python, script, folder);
  let count = 0;
  for (let edit = 0; edit < EDITS; edit += 1) {
    const digit = (edit * 7 + 3) % 10;
    writeFileSync(join(folder, 'train.py'), TRAIN.replace('EDIT = 0', `EDIT = ${digit}`));
    if ((await side.run()).edit === digit) count += 1;
  }
  await side.end();
  return count;
}

/** A second execution of the file in a kernel: from the request to its answer. */
const JUPYTER = `
import sys, time
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
def run():
    begun = time.perf_counter()
    reply = client.execute_interactive("%run train.py", timeout=120, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply
    return (time.perf_counter() - begun) * 1000
run()
print(run())
client.stop_channels()
manager.shutdown_kernel(now=True)
`;

function jupyterMs(python: string, folder: string): number | null {
  const { status, stdout } = spawnSync(python, ['-c', JUPYTER], { cwd: folder, encoding: 'utf8' });
  const ms = Number(stdout.trim().split('\n').at(-1));
  return status === 0 && Number.isFinite(ms) ? ms : null;
}
