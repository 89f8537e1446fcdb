import assert from 'node:assert/strict';
import type { AppSettings } from '../../../src/modalExport/appSettings';
import { CodeFolder, needPython, parsePython } from './support';

const TRAIN = `
from __future__ import annotations

import logging
import os.path
from pathlib import Path
from typing import Literal, Optional

import torch
from dataset import load
import helpers.draw
from helpers import names

log = logging.getLogger(__name__)
TRANSFORMS = object()


def train(
    data_dir: Path = Path("data/cats"),
    epochs: int = 10,
    lr: float = 1e-4,
    backbone: Literal["resnet18", "resnet34"] = "resnet18",
    output: str | None = None,
    note: Optional[str] = None,
    pretrained: bool = True,
    momentum=-0.9,
    transforms=TRANSFORMS,
    *,
    title: "str" = 'a "quoted" näme',
    **rest,
):
    """Trains."""
    assert isinstance(data_dir, Path), data_dir
    assert os.path.islink("outputs") and os.path.islink("data")
    return {"seen": [str(data_dir), epochs, lr, backbone, output, pretrained, momentum, title, load(), names.NAME], "path": data_dir}
`;

const FILES = {
  'src/train.py': TRAIN,
  'src/dataset.py': 'def load():\n    return "loaded"\n',
  'src/helpers/__init__.py': '',
  'src/helpers/draw.py': 'from . import names\nfrom .deep.er import THING\n',
  'src/helpers/deep/__init__.py': '',
  'src/helpers/deep/er.py': 'THING = 1\n',
  'src/helpers/names.py': 'NAME = "näme"\n',
  'src/not_needed.py': 'import tensorflow\n',
  'data/cats/one.txt': '',
  'requirements.txt': 'torch==2.6.0+cu124  # the one we have\n',
};

describe('The exported Modal app', function () {
  let code: CodeFolder;

  before(async function () {
    await needPython(this);
  });

  afterEach(async () => {
    await code.remove();
  });

  it('trains a function with the options of its signature, in a container with only the files that it imports', async () => {
    code = await CodeFolder.make(FILES);
    const { files, notes } = await code.export('src/train.py:train');
    assert.deepEqual([...files].sort(), [
      'src/dataset.py',
      'src/helpers/__init__.py',
      'src/helpers/deep/__init__.py',
      'src/helpers/deep/er.py',
      'src/helpers/draw.py',
      'src/helpers/names.py',
      'src/train.py',
    ]);
    assert.deepEqual(notes, []);
    const { stdout, notes: seen } = await code.run([
      '--epochs',
      '3',
      '--no-pretrained',
      '--backbone',
      'resnet34',
    ]);
    assert.deepEqual(JSON.parse(stdout), {
      seen: ['data/cats', 3, 1e-4, 'resnet34', null, false, -0.9, 'a "quoted" näme', 'loaded', 'näme'],
      path: 'data/cats',
    });
    assert.deepEqual(seen[0], {
      cls: {
        gpu: 'T4',
        timeout: 3600,
        scaledown_window: 300,
        enable_memory_snapshot: true,
        retries: [3, 2, 10, 60],
        volumes: { '/outputs': 'cats-model-outputs', '/data': 'cats-dataset' },
      },
      packages: ['numpy==2.1.3', 'torch==2.6.0'],
      files: files.map((file) => `/app/${file}`).sort(),
    });
    assert.deepEqual(seen.slice(1), [
      { enter: 'import_packages', snap: true },
      { enter: 'warm_up', snap: false },
      { torch: 'cuda' },
      { torch: 'backward' },
      { torch: 'synchronize' },
      { commit: 'cats-model-outputs' },
    ]);
  });

  it('commits the outputs of a training that fails', async () => {
    code = await CodeFolder.make({
      'train.py': 'def train(lr: float = 0.1):\n    raise ValueError("too cute")\n',
    });
    await code.export('train.py:train', { gpu: 'none' });
    const { failure, notes } = await code.run([]);
    assert.match(failure, /ValueError: too cute/);
    assert.deepEqual(notes.at(-1), { commit: 'cats-model-outputs' });
  });

  it('warms the GPU into the snapshot where GPU snapshots are asked for', async () => {
    code = await CodeFolder.make({
      'train.py': 'import torch\ndef train(lr: float = 0.1):\n    return lr\n',
    });
    const { text } = await code.export('train.py:train', { gpu: 'H100', snapshot: 'gpu' });
    assert.match(text, /experimental_options=\{"enable_gpu_snapshot": True\}/);
    const { notes } = await code.run([]);
    assert.deepEqual(notes.slice(1), [
      { enter: 'import_packages', snap: true },
      { torch: 'cuda' },
      { torch: 'backward' },
      { torch: 'synchronize' },
      { enter: 'warm_up', snap: false },
      { torch: 'seed' },
      { commit: 'cats-model-outputs' },
    ]);
  });

  it('enters and trains a container class, whose marks mean nothing there', async () => {
    code = await CodeFolder.make({
      'src/train.py': `
import tinycats
from tinycats import enter, train

class TrainingContainer:
    @enter
    def prepare(self):
        self.ready = True

    @tinycats.train
    def fit(self, epochs: int = 2) -> dict:
        tinycats.log(epoch=1, val_acc=0.5)
        return {"ready": self.ready, "epochs": epochs}
`,
    });
    await code.export('src/train.py:TrainingContainer');
    const { stdout } = await code.run(['--epochs', '7']);
    assert.deepEqual(JSON.parse(stdout), { ready: true, epochs: 7 });
    await code.export('src/train.py:TrainingContainer.fit', { snapshot: 'gpu' });
    assert.deepEqual(JSON.parse((await code.run([])).stdout), { ready: true, epochs: 2 });
  });

  it('hands its arguments on to a function or script that reads the command line', async () => {
    const script = `
import argparse

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    given = parser.parse_args()
    print("trained", given.epochs)
    return given.epochs

if __name__ == "__main__":
    open("/dev/null")
    assert main() == 4
`;
    code = await CodeFolder.make({ 'my code/train it.py': script, 'my code/train.py': script });
    await code.export('my code/train.py:main');
    assert.equal((await code.run(['--epochs', '4'])).stdout.trim(), '4');
    await code.export('my code/train.py', {}, 'deploy/app.py');
    assert.equal((await code.run(['--epochs', '4'], 'deploy/app.py')).stdout.trim(), 'None');
  });

  it('imports a file in a package by its full name', async () => {
    code = await CodeFolder.make({
      'src/pkg/__init__.py': '',
      'src/pkg/train.py': 'from .model import SIZE\ndef train(n: int):\n    return n * SIZE\n',
      'src/pkg/model.py': 'SIZE = 3\n',
    });
    await code.export('src/pkg/train.py:train');
    assert.equal((await code.run(['--n', '5'])).stdout.trim(), '15');
  });

  it('is Python whatever files, functions and settings are called', async () => {
    const names = ['tráin "it".py', "o'hara\\n.py", '猫 ${x} {y} 🐈.py', 'a\tb.py'];
    code = await CodeFolder.make(
      Object.fromEntries(names.map((name) => [`a "b" ü/${name}`, 'def größe(ñ: int = 3):\n    return ñ\n'])),
    );
    const settings = (['none', 'memory', 'gpu'] as const).map((snapshot) => ({ snapshot }));
    await parsePython(
      names.flatMap((name) => settings.map((each) => code.read(`a "b" ü/${name}:größe`, each).text)),
    );
    for (const name of names) {
      await code.export(`a "b" ü/${name}:größe`, {}, 'mein "app".py');
      assert.equal((await code.run([], 'mein "app".py')).stdout.trim(), '3', name);
    }
  });

  it('says which versions it does not know and which defaults are on no volume', async () => {
    code = await CodeFolder.make({
      'train.py': `
import yaml, PIL.Image
try:
    import wandb
except ImportError:
    wandb = None
def train(data_dir: str = "photos", output_dir: str = "outputs/x", name: str = "cat"):
    pass
`,
      '.venv/lib/python3.12/site-packages/pillow-10.4.0.dist-info/METADATA': '',
    });
    const { requirements, notes } = await code.export('train.py:train');
    assert.deepEqual(requirements, ['pillow==10.4.0', 'pyyaml']);
    assert.deepEqual(notes, [
      'pyyaml has no pinned version: pin it in requirements.txt, or in modal_app.py itself.',
      'The default of data_dir, "photos", is on no volume: give a path in /data or /outputs.',
    ]);
  });
});

describe('Exporting a Modal app', () => {
  const refusals: [string, string, Partial<AppSettings>, RegExp][] = [
    [
      'a window that is too short',
      'train.py:train',
      { scaledownWindowMs: 1000 },
      /scaledown window has to be 2 to 1200 s, not "1 s"/,
    ],
    [
      'a window that is too long',
      'train.py:train',
      { scaledownWindowMs: 1_201_000 },
      /2 to 1200 s, not "1201 s"/,
    ],
    ['an unknown GPU', 'train.py:train', { gpu: 'T5' }, /GPU has to be one of none, T4, .*not "T5"/],
    [
      'a delay',
      'train.py:train',
      { retries: { maxRetries: 3, backoffCoefficient: 2, initialDelayMs: 0, maxDelayMs: 120_000 } },
      /maximum delay has to be 1 to 60 s, not "120 s"/,
    ],
    ['a time-out', 'train.py:train', { timeoutMs: 90_000_000 }, /run time-out has to be 1 to 86400 s/],
    ['the name of a volume', 'train.py:train', { dataVolume: 'my "data"' }, /data volume has to be letters/],
    ['no file', 'no.py:train', {}, /no Python file "no\.py"/],
    ['no function', 'train.py:fit', {}, /no function or class fit: there is train, Other\./],
    ['no method', 'train.py:Other', {}, /no method of Other is marked "train"/],
    ['no entrypoint', 'train', {}, /has to be like src\/train\.py:train.*not "train"/],
    ['a file outside', '../train.py:train', {}, /no Python file|is not in/],
    [
      'a parameter that cannot be given',
      'bad.py:train',
      {},
      /bad\.py: the parameter images of train has no default, and list\[str\] cannot/,
    ],
    ['broken Python', 'broken.py:train', {}, /broken\.py:2 cannot be parsed/],
  ];
  let code: CodeFolder;

  before(async () => {
    code = await CodeFolder.make({
      'train.py': 'def train(lr: float = 0.1):\n    pass\nclass Other:\n    def fit(self):\n        pass\n',
      'bad.py': 'def train(images: list[str]):\n    pass\n',
      'broken.py': 'x = 1\ndef train(:\n    pass\n',
    });
  });

  after(async () => {
    await code.remove();
  });

  for (const [what, entrypoint, settings, message] of refusals) {
    it(`refuses ${what}, saying what was expected`, () => {
      assert.throws(() => code.read(entrypoint, settings), { name: 'ModalExportError', message });
    });
  }

  it('takes a run time-out of 0 as the longest that Modal has', () => {
    assert.match(code.read('train.py:train', { timeoutMs: 0 }).text, /timeout=86400,/);
  });
});
