import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { utimesSync } from 'node:fs';
import { needsPython } from './support/interpreters';
import { Folder, PythonTrainer } from './support/trainer';

const TRAIN = `
import tinycats
import pkg.deep
from model import size


class Container:
    @tinycats.enter
    def enter(self):
        self.loaded = load()

    @tinycats.train
    def train(self):
        from lazy import late
        return [size(), pkg.deep.value, late(), self.loaded, VERSION]


def load():
    return "data"


VERSION = 0
`;

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? Array.from<unknown>(value) : [];
}

const FILES = {
  'src/train.py': TRAIN,
  'src/model.py': 'from layers import width\n\n\ndef size():\n    return width * 2\n',
  'src/layers.py': 'width = 1\n',
  'src/lazy.py': 'def late():\n    return 0\n',
  'src/pkg/__init__.py': '',
  'src/pkg/deep.py': 'value = 0\n',
};

describe('edited code', () => {
  let trainer: PythonTrainer;
  let folder: Folder;
  before(function () {
    folder = new Folder(FILES);
    trainer = PythonTrainer.ofFile(needsPython(this), folder, 'src/train.py:Container');
  });
  after(() => trainer.dispose());
  const values = async (): Promise<unknown[]> => {
    const { returned } = (await trainer.run()).ended;
    return listOf(returned);
  };

  it('is what runs, 100 times of 100, at the same size and the same time of modification', async function () {
    this.timeout(180_000);
    const before = new Date(2026, 0, 1);
    const edits: readonly ((digit: number) => [string, string])[] = [
      (digit) => ['src/layers.py', `width = ${digit}\n`],
      (digit) => ['src/lazy.py', `def late():\n    return ${digit}\n`],
      (digit) => ['src/pkg/deep.py', `value = ${digit}\n`],
      (digit) => ['src/train.py', TRAIN.replace('VERSION = 0', `VERSION = ${digit}`)],
    ];
    const now = [0, 0, 0, 0];
    for (let round = 0; round < 100; round += 1) {
      const which = round % edits.length;
      const digit = (round * 7 + 3) % 10;
      const [file, text] = edits[which]?.(digit) ?? ['', ''];
      folder.write(file, text);
      utimesSync(folder.file(file), before, before);
      now[which] = digit;
      if (round < edits.length - 1) continue;
      const run = await trainer.run();
      const [width = 0, late = 0, deep = 0, version = 0] = now;
      assert.deepEqual(run.ended.returned, [width * 2, deep, late, 'data', version], `edit ${round}`);
      const files = JSON.stringify(run.events('files').at(-1));
      const sha256 = createHash('sha256').update(text).digest('hex');
      assert.ok(files.includes(`{"path":"${file}","sha256":"${sha256}"}`), files);
      assert.deepEqual(run.events('restart_needed'), []);
    }
  });

  it('of the enter hook asks for a restart, and what it made stays', async () => {
    folder.write('src/train.py', TRAIN.replace('"data"', '"other data"'));
    const run = await trainer.run();
    const [, , , loaded] = listOf(run.ended.returned);
    assert.equal(loaded, 'data');
    assert.match(JSON.stringify(run.events('restart_needed')), /load changed since the enter hook ran/);
    folder.write('src/train.py', `# A comment is no change.\n${TRAIN}`);
    assert.deepEqual((await trainer.run()).events('restart_needed'), []);
  });

  it('that was deleted is missed', async () => {
    folder.write('src/layers.py', 'from gone import nothing\n');
    const run = await trainer.run();
    run.assertStatus('failed');
    assert.match(JSON.stringify(run.ended.error), /No module named 'gone'.*layers\.py","line":1/);
    folder.write('src/gone.py', 'nothing = 0\n');
    folder.write('src/layers.py', 'from gone import nothing\nwidth = 4\n');
    const [width] = await values();
    assert.equal(width, 8);
  });
});

const STATE = `
import logging
import os
import random
import signal
import sys
import warnings

MADE = []


def train(hold: bool = False):
    seen = [random.random(), sys.argv[1:], os.getcwd(), os.environ.get("LEFT"), logging.getLogger("mine").handlers,
            logging.root.level, signal.getsignal(signal.SIGTERM).__class__.__name__, len(warnings.filters), len(sys.path)]
    random.seed(random.random())
    sys.argv.append("left")
    sys.path.append("left")
    os.environ["LEFT"] = "over"
    os.chdir("/")
    signal.signal(signal.SIGTERM, lambda *_: None)
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("mine").addHandler(logging.StreamHandler())
    warnings.simplefilter("ignore")
    sys.stdout = open(os.devnull, "w")
    if hold:
        MADE.append(b"x" * (300 * 2**20))
    return str(seen)
`;

const CHILDREN = `
import multiprocessing
import os
import time


def square(x):
    return x * x


def sleep():
    time.sleep(600)


def train(method: str = "spawn"):
    multiprocessing.set_start_method(method)
    with multiprocessing.Pool(2) as pool:
        squares = pool.map(square, range(4))
    left = multiprocessing.Process(target=sleep)
    left.start()
    return [squares, left.pid]
`;

describe('between two runs', () => {
  it('everything is put back', async function () {
    const trainer = PythonTrainer.ofFile(needsPython(this), new Folder({ 's.py': STATE }), 's.py:train');
    const first = await trainer.run();
    first.assertStatus('completed');
    const second = await trainer.run();
    assert.deepEqual(second.ended.returned, first.ended.returned);
    await trainer.dispose();
  });

  it('memory that is held from run to run is told of', async function () {
    const trainer = PythonTrainer.ofFile(needsPython(this), new Folder({ 's.py': STATE }), 's.py:train');
    assert.deepEqual((await trainer.run()).events('held_memory'), []);
    const [held] = (await trainer.run({ hold: true })).events('held_memory');
    assert.equal(held?.sinceRun, 2);
    assert.ok(Number(held.bytes) >= 290 * 2 ** 20, String(held.bytes));
    assert.deepEqual((await trainer.run()).events('held_memory'), []);
    await trainer.dispose();
  });

  it('processes of the run are gone, however they were started', async function () {
    const trainer = PythonTrainer.ofFile(needsPython(this), new Folder({ 'c.py': CHILDREN }), 'c.py:train');
    for (const method of ['spawn', 'fork']) {
      const run = await trainer.run({ method });
      run.assertStatus('completed');
      const [squares, pid] = listOf(run.ended.returned);
      assert.deepEqual(squares, [0, 1, 4, 9]);
      assert.throws(() => process.kill(Number(pid), 0), /ESRCH/, method);
    }
    await trainer.dispose();
  });
});
