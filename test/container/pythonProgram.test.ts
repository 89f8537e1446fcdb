import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from '../../src/protocol/program';
import { needsPython } from '../python/support/interpreters';
import { Following } from './support/following';
import { Place } from './support/place';
import { untilStatus } from './support/waiting';

const TRAIN = `
import os
import time


def train(epochs: int = 2, wait: float = 0.0):
    for epoch in range(1, epochs + 1):
        print(f"Epoch {epoch}/{epochs} | Train loss: 0.4 acc: 0.8 | Val loss: 0.3 acc: 0.{80 + epoch} | LR: 1.0e-04 | Time: 0.1s", flush=True)
        time.sleep(wait)
    with open(os.path.join(os.environ["TINY_CATS_RUN_DIR"], "model.pt"), "wb") as file:
        file.write(b"model")
    return {"edit": 1}
`;

describe('user code in Python on a container', () => {
  let place: Place;
  let program: Program;
  let file: string;
  before(async function () {
    const interpreter = needsPython(this);
    place = await Place.make();
    const folder = join(place.root, 'work space');
    await mkdir(folder);
    file = join(folder, 'train.py');
    await writeFile(file, TRAIN);
    program = { kind: 'python', interpreter, folder, entrypoint: 'train.py:train' };
  });
  after(() => place.dispose());
  const train = async (params: Record<string, number> = {}): Promise<Following> => {
    const client = place.client();
    const hint = { recipe: 'train', params, program };
    return new Following(client, await client.train('train', params, place.options({ hint })));
  };

  it('trains, keeps its curves, files, hashes and result, and is warm for the edited file', async () => {
    const cold = await train();
    const first = await cold.result();
    assert.equal(first.status, 'completed', first.error?.message);
    assert.deepEqual(
      cold.all('epoch').map(({ epoch, val_acc }) => [epoch, val_acc]),
      [
        [1, 0.81],
        [2, 0.82],
      ],
    );
    assert.equal(first.val_acc, 0.82);
    await untilStatus(cold.client, ({ runs }) => runs === 1);
    const dir = await place.runDir(cold.runId);
    const record = await readFile(join(dir, 'run.json'), 'utf8');
    for (const part of ['"entrypoint": "train.py:train"', '"model.pt"', '"sha256"', '"edit": 1']) {
      assert.ok(record.includes(part), `${part} in ${record}`);
    }

    await writeFile(file, TRAIN.replace('"edit": 1', '"edit": 2'));
    const warm = await train();
    const second = await warm.result();
    assert.equal(second.start, 'warm');
    assert.deepEqual(second.returned, { edit: 2 });
  });

  it('is stopped, and its failure names the place', async () => {
    const long = await train({ epochs: 1000, wait: 0.05 });
    await long.first('epoch');
    await long.client.request('stop', { runId: long.runId });
    assert.equal((await long.result()).status, 'stopped');

    await writeFile(file, TRAIN.replace('"wb"', '"no mode"'));
    const { error } = await (await train()).result();
    assert.equal(error?.code, 'user_code');
    assert.deepEqual(error.location, { file, line: 10 });
  });
});
