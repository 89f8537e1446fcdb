import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needsPython } from './support/interpreters';
import { Folder, PythonTrainer, says } from './support/trainer';

const FUNCTION = `
import logging
import os
import subprocess
import sys
import warnings

import tinycats
from helper import double

logger = logging.getLogger(__name__)


def train(epochs: int = 2, lr: float = 1e-3, output: str | None = None, sizes: list = [1, 2]):
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    print("printed", double(epochs), repr(lr), output, sizes)
    logger.info("by a logger")
    logger.warning("take care")
    warnings.warn("this is old")
    subprocess.run([sys.executable, "-c", "print('by a child')"], check=True)
    print("bar", end="")
    for part in range(1000):
        print(f"\\r{part}/1000 loss=0.5", end="", file=sys.stderr)
    for epoch in range(1, epochs + 1):
        tinycats.log(epoch=epoch, epochs=epochs, train_loss=1 / epoch, val_acc=epoch / 10, f1=0.3)
    with open(os.path.join(tinycats.run_dir(), "weights.pt"), "wb") as file:
        file.write(b"weights")
    return {"val_acc": 0.9, "where": os.getcwd(), "argv": sys.argv}
`;

describe('a plain function', () => {
  let trainer: PythonTrainer;
  before(function () {
    const files = {
      'src/train.py': `from __future__ import annotations\n${FUNCTION}`,
      'src/helper.py': 'def double(x):\n    return 2 * x\n',
    };
    trainer = PythonTrainer.ofFile(needsPython(this), new Folder(files), 'src/train.py:train');
  });
  after(() => trainer.dispose());

  it('tells the phases of its start', async () => {
    const messages = await trainer.ready();
    const phases = messages.filter(({ type }) => type === 'phase').map(({ phase }) => JSON.stringify(phase));
    for (const name of ['process start', 'module import', 'src/train.py']) {
      assert.ok(
        phases.some((phase) => phase.includes(`"${name}"`)),
        phases.join('\n'),
      );
    }
  });

  it('is called with its parameters, and what it prints, logs and returns is told', async () => {
    const run = await trainer.run({ epochs: 3, output: '', sizes: '[3]' });
    run.assertStatus('completed');
    const lines = run.lines();
    assert.deepEqual(lines.slice(0, 4), [
      'printed 6 0.001 None [3]',
      'INFO by a logger',
      'WARNING take care',
      'UserWarning: this is old',
    ]);
    assert.ok(lines.includes('by a child'));
    assert.deepEqual(run.lines('warning'), ['WARNING take care', 'UserWarning: this is old']);
    const [, logged] = run.events('log');
    assert.deepEqual(logged?.location, { file: trainer.folder.file('src/train.py'), line: 18 });
    const { returned } = run.ended;
    assert.deepEqual(returned, {
      val_acc: 0.9,
      where: trainer.folder.path,
      argv: [trainer.folder.file('src/train.py')],
    });
    assert.equal(run.ended.val_acc, 0.9);
    assert.ok(run.hasStepped);
  });

  it('has its metrics as rows of epochs, and its files as checkpoints of the run', async () => {
    const run = await trainer.run({ epochs: 2 });
    assert.deepEqual(run.events('epoch'), [
      { type: 'epoch', epoch: 1, epochs: 2, train_loss: 1, val_acc: 0.1 },
      { type: 'epoch', epoch: 2, epochs: 2, train_loss: 0.5, val_acc: 0.2 },
    ]);
    const others = run.events('metrics').filter(({ epoch }) => epoch === 2);
    assert.deepEqual(others[0]?.values, { f1: 0.3 });
    const checkpoint = { type: 'checkpoint', kind: 'file', file: 'weights.pt', bytes: 7 };
    assert.deepEqual(run.events('checkpoint'), [{ ...checkpoint, epoch: 2, val_acc: 0.2 }]);
    assert.equal(readFileSync(join(run.runDir, 'weights.pt'), 'utf8'), 'weights');
  });

  it('shows the last state of a progress bar, not its thousand', async () => {
    const run = await trainer.run();
    const states = run.lines().filter((line) => String(line).includes('/1000'));
    assert.deepEqual(states, ['999/1000 loss=0.5']);
  });

  it('refuses parameters that do not fit, each in words, and stays warm', async () => {
    const run = await trainer.run({ epochs: 'many', depth: 3 });
    run.assertStatus('failed');
    assert.deepEqual(run.ended.error, {
      code: 'parameters',
      message:
        'depth: there is no such parameter; there are epochs, lr, output, sizes\n' +
        'epochs: expected a whole number, got "many"',
    });
    (await trainer.run()).assertStatus('completed');
  });

  it('says which files it ran, by their hashes', async () => {
    const run = await trainer.run();
    const [files] = run.events('files');
    const text = JSON.stringify(files?.files);
    assert.match(text, /"src\/helper\.py","sha256":"[0-9a-f]{64}"/);
    assert.match(text, /"src\/train\.py","sha256":"[0-9a-f]{64}"/);
  });
});

const CLASS = `
import modal
from modal import App, enter

app = modal.App("tiny-cats")
image = modal.Image.debian_slim(python_version="3.12").uv_pip_install("torch==2.5.1").env({"A": "b"})
volume = modal.Volume.from_name("outputs", create_if_missing=True)


@app.cls(image=image, gpu="T4", volumes={"/outputs": volume})
class TrainingContainer:
    @modal.enter(snap=True)
    def enter(self):
        self.entered = getattr(self, "entered", 0) + 1
        print("entered")

    @app.function(timeout=3600, retries=modal.Retries(max_retries=3, initial_delay=10.0))
    def train_classifier(self, epochs: int = 1):
        volume.commit()
        self.runs = getattr(self, "runs", 0) + 1
        return {"entered": self.entered, "runs": self.runs}


@app.local_entrypoint()
def main():
    TrainingContainer().train_classifier.remote()
`;

describe('a container class as it is written for Modal', () => {
  let trainer: PythonTrainer;
  before(function () {
    const folder = new Folder({ 'train.py': CLASS });
    trainer = PythonTrainer.ofFile(needsPython(this), folder, 'train.py:TrainingContainer.train_classifier');
  });
  after(() => trainer.dispose());

  it('is entered once, and keeps what enter made from run to run', async () => {
    const messages = await trainer.ready();
    assert.equal(messages.filter(({ type, text }) => type === 'log' && text === 'entered').length, 1);
    assert.deepEqual((await trainer.run()).ended.returned, { entered: 1, runs: 1 });
    assert.deepEqual((await trainer.run({ epochs: 5 })).ended.returned, { entered: 1, runs: 2 });
  });
});

const SCRIPT = `
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--amp", action="store_true")
parser.add_argument("--layers", type=int, nargs="+", default=[1, 2])
parser.add_argument("data")


def main(args):
    print(vars(args))


if __name__ == "__main__":
    main(parser.parse_args())
`;

describe('a script with argparse', () => {
  let trainer: PythonTrainer;
  before(function () {
    trainer = PythonTrainer.ofFile(needsPython(this), new Folder({ 'a/script.py': SCRIPT }), 'a/script.py');
  });
  after(() => trainer.dispose());

  it('is run with its options, which are the parameters', async () => {
    const good = await trainer.run({ lr: 0.5, amp: true, layers: '3 4', data: 'x y' });
    good.assertStatus('completed');
    assert.deepEqual(good.lines(), ["{'lr': 0.5, 'amp': True, 'layers': [3, 4], 'data': 'x y'}"]);
  });

  it('that ends itself with an error code has failed, and the container stays warm', async () => {
    const run = await trainer.run({ data: 'x', layers: 'many' });
    run.assertStatus('failed');
    assert.match(JSON.stringify(run.lines()), /invalid int value/);
    (await trainer.run({ data: 'x' })).assertStatus('completed');
  });
});

const TROUBLE = `
import time


def train(wait: float = 0.0, swallow: bool = False):
    print("begun")
    try:
        time.sleep(wait)
    except KeyboardInterrupt:
        if swallow:
            print("saving")
            return "saved"
        raise
    return inner(0)


def inner(x):
    return 1 / x
`;

describe('a failure in user code', () => {
  let trainer: PythonTrainer;
  before(function () {
    trainer = PythonTrainer.ofFile(needsPython(this), new Folder({ 't.py': TROUBLE }), 't.py:train');
  });
  after(() => trainer.dispose());

  it('is told with file and line of the place, and the container stays warm', async () => {
    const run = await trainer.run();
    run.assertStatus('failed');
    const location = { file: trainer.folder.file('t.py'), line: 18 };
    assert.deepEqual(run.ended.error, {
      code: 'user_code',
      message: 'ZeroDivisionError: division by zero',
      location,
    });
    const [told] = run.events('log').filter(({ level }) => level === 'error');
    assert.deepEqual(told?.location, location);
    assert.match(String(told.text), /Traceback[\s\S]+line 14, in train[\s\S]+return 1 \/ x/);
    assert.doesNotMatch(String(told.text), /_container/);
  });

  it('a syntax error is told with its place, until it is mended', async () => {
    trainer.folder.write('t.py', 'def train(:\n    pass\n');
    const run = await trainer.run();
    run.assertStatus('failed');
    assert.match(JSON.stringify(run.ended.error), /"code":"user_code".*t\.py.*"line":1/);
    trainer.folder.write('t.py', TROUBLE.replace('inner(0)', 'inner(2)'));
    assert.equal((await trainer.run()).ended.returned, 0.5);
  });

  for (const swallow of [false, true]) {
    it(`a stop interrupts it, once and again${swallow ? ', and the code may catch that' : ''}`, async () => {
      for (let round = 0; round < 2; round += 1) {
        const started = await trainer.start({ wait: 600, swallow });
        await started.until(says('begun'));
        trainer.stop();
        const run = await started.ended();
        run.assertStatus('stopped');
        assert.equal(run.ended.returned, swallow ? 'saved' : undefined);
      }
    });
  }

  it('a stop that comes before the code begins is not lost', async () => {
    const started = await trainer.start({ wait: 600 });
    trainer.stop();
    (await started.ended()).assertStatus('stopped');
  });
});

const SAVING = `
import time

import tinycats


def save(name):
    with open(name, "wb") as file:
        file.write(b"weights")


def log_then_save():
    for epoch in (1, 2, 3):
        time.sleep(0.2)
        tinycats.log(epoch=epoch, val_acc=epoch / 10)
        save(tinycats.run_dir() / f"{epoch}.pt")


def save_then_print():
    for epoch in (1, 2, 3):
        time.sleep(0.2)
        save(tinycats.run_dir() / f"{epoch}.pt")
        print(f"Epoch {epoch}/3 | Val loss: 0.5 acc: 0.{epoch}")


def under_a_heading():
    for epoch in (1, 2, 3):
        print(f"Epoch {epoch}/3")
        time.sleep(0.2)
        save(tinycats.run_dir() / f"{epoch}.pt")
`;

describe('a file that was written in a short epoch', () => {
  for (const name of ['log_then_save', 'save_then_print', 'under_a_heading']) {
    it(`is a checkpoint of that epoch: ${name}`, async function () {
      const python = needsPython(this);
      const folder = new Folder({ 't.py': SAVING });
      const trainer = PythonTrainer.ofFile(python, folder, `t.py:${name}`);
      try {
        const run = await trainer.run();
        run.assertStatus('completed');
        const epochs = run.events('checkpoint').map(({ file, epoch }) => [file, epoch]);
        assert.deepEqual(
          epochs.sort(),
          [1, 2, 3].map((epoch) => [`${epoch}.pt`, epoch]),
        );
      } finally {
        await trainer.dispose();
        folder.dispose();
      }
    });
  }
});
