import assert from 'node:assert/strict';
import { needsPython, needsTorch } from './support/interpreters';
import { Folder, PythonTrainer } from './support/trainer';
import type { Told } from './support/trainer';

const CODE = `
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import tinycats
import tqdm


@tinycats.enter
def enter():
    print("entered")
    return [0]


def train(entered):
    entered[0] += 1
    return entered[0]


def evaluate(entered, times: int = 1):
    entered[0] += times
    return entered[0]


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no text")


def raise_unspeakable():
    raise Unspeakable()


def generate():
    print("one")
    yield 1
    print("two")
    return "end"


def import_missing():
    import no_such_module_of_mine


def leave_threads():
    tqdm.Monitor(target=threading.Event().wait, daemon=True).start()
    ThreadPoolExecutor(1).submit(int).result()
    threading.Thread(target=threading.Event().wait, daemon=True, name="my own").start()


def save():
    for name in ("model_best.pt", "last.pt"):
        with open(os.path.join(tinycats.run_dir(), name), "wb") as file:
            file.write(b"weights")
        tinycats.checkpoint(os.path.join(tinycats.run_dir(), name))


def leave():
    print("the last word")
    os._exit(5)
`;

/** As tqdm's monitor is: a thread of a class of its own, without a name. */
const TQDM = `
import threading

class Monitor(threading.Thread):
    pass
`;

function runOf(trainer: PythonTrainer, name: string, params = {}): Promise<Told> {
  return trainer.run(params, { program: programOf(trainer, name) });
}

function programOf({ folder }: PythonTrainer, name: string): object {
  return { kind: 'python', interpreter: '', folder: folder.path, entrypoint: `train.py:${name}` };
}

describe('ways in which a function ends', () => {
  let trainer: PythonTrainer;
  before(function () {
    const folder = new Folder({ 'train.py': CODE, 'tqdm.py': TQDM });
    trainer = PythonTrainer.ofFile(needsPython(this), folder, 'train.py:train');
  });
  after(() => trainer.dispose());

  it('every function of the file finds what enter made once', async () => {
    await trainer.run();
    const run = await runOf(trainer, 'evaluate', { times: 5 });
    assert.equal(run.ended.returned, 6);
    assert.deepEqual(run.lines(), []);
  });

  it('an exception that has no text is one all the same', async () => {
    const run = await runOf(trainer, 'raise_unspeakable');
    assert.match(
      JSON.stringify(run.ended.error),
      /"user_code","message":"Unspeakable: \(its text cannot be had/,
    );
  });

  it('a generator is run to its end', async () => {
    const run = await runOf(trainer, 'generate');
    assert.deepEqual([run.lines(), run.ended.returned], [['one', 'two'], 'end']);
  });

  it('a module that is missing is told of with the interpreter that misses it', async () => {
    const run = await runOf(trainer, 'import_missing');
    assert.match(
      JSON.stringify(run.ended.error),
      /No module named 'no_such_module_of_mine' \(Python 3\.\d+\.\d+, /,
    );
  });

  it('threads that go on are told of, but for those of libraries that serve all runs', async () => {
    const run = await runOf(trainer, 'leave_threads');
    assert.deepEqual(run.lines('warning'), ['Threads of the run still run: my own.']);
  });

  it('the file that is called the best is what the run has come to', async () => {
    const run = await runOf(trainer, 'save');
    assert.match(String(run.ended.output), /model_best\.pt$/);
  });

  it('what was printed before os._exit is told', async () => {
    const started = await trainer.start({}, { program: programOf(trainer, 'leave') });
    const told = await started.until((message) => JSON.stringify(message).includes('the last word'));
    assert.deepEqual(told.lines(), ['the last word']);
    await trainer.death();
  });
});

const LOADER = `
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    def __len__(self):
        return 64

    def __getitem__(self, index):
        if index == 20:
            raise ValueError("image 20 is broken")
        return index


def train():
    for batch in DataLoader(Images(), batch_size=4, num_workers=2):
        pass
`;

describe('an exception in a worker of a DataLoader', () => {
  let trainer: PythonTrainer;
  before(async function () {
    const folder = new Folder({ 'train.py': LOADER });
    trainer = PythonTrainer.ofFile(await needsTorch(this), folder, 'train.py:train');
  });
  after(() => trainer.dispose());

  it('is told with the line in the data set', async () => {
    const run = await trainer.run();
    const line = LOADER.split('\n').findIndex((text) => text.includes('raise')) + 1;
    assert.deepEqual(run.ended.error, {
      code: 'user_code',
      message: 'ValueError: image 20 is broken (in a worker process)',
      location: { file: trainer.folder.file('train.py'), line },
    });
    assert.deepEqual(run.lines('warning'), []);
  });
});
