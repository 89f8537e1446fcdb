import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { ContainerClient } from '../../src/client/containerClient';
import type { RunRecord } from '../../src/protocol/run';
import { runRecordSchema } from '../../src/protocol/run';
import { LONG, Place } from './support/place';
import { untilStatus } from './support/waiting';

describe('the outputs volume of a container', () => {
  let place: Place;
  let client: ContainerClient;
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
  });
  afterEach(() => place.dispose());

  async function oldRun(date: string, madeFrom: RunRecord): Promise<string> {
    const runId = `${date.replaceAll('-', '')}-120000-abcdef`;
    const dir = join(place.outputsDir, 'checkpoints', 'classifier', date, runId);
    await mkdir(dir, { recursive: true });
    for (const file of ['best.safetensors', 'last.safetensors', 'events.jsonl', 'training.log']) {
      await writeFile(join(dir, file), '');
    }
    await place.volume.writeRecord(dir, { ...madeFrom, runId, createdAt: `${date}T12:00:00.000Z` });
    return runId;
  }

  it('loses the checkpoints of old dates, not those of pinned runs, and the run says which', async () => {
    const run = await place.train(client);
    await run.result();
    await untilStatus(client, ({ runs }) => runs === 1);
    const record = await place.volume.readRecord(await place.runDir(run.runId));
    assert.ok(record);
    const [oldest, pinned, kept] = [
      await oldRun('2020-01-01', record),
      await oldRun('2020-01-02', record),
      await oldRun('2020-01-03', record),
    ];
    assert.equal((await client.request('pin', { runId: pinned, pinned: true })).pinned, true);

    const settings = { scaledownWindowMs: 60_000, keepDates: 2 };
    const params = place.params();
    await client.start(place.options({ settings }));
    const { runId } = await client.request('train', { recipe: 'classifier', params });
    await untilStatus(client, ({ runs }) => runs === 2);
    const filesOf = async (id: string): Promise<string[]> => (await readdir(await place.runDir(id))).sort();
    assert.deepEqual(await filesOf(oldest), ['events.jsonl', 'run.json', 'training.log']);
    for (const id of [pinned, kept, run.runId, runId]) {
      assert.ok((await filesOf(id)).includes('best.safetensors'), id);
    }
    const log = await readFile(join(await place.runDir(runId), 'training.log'), 'utf8');
    const gone = join('checkpoints', 'classifier', '2020-01-01', oldest, 'best.safetensors');
    assert.match(log, /Retention keeps the checkpoints of the newest 2 dates and removed 2 older files: /);
    assert.ok(log.includes(gone) && !log.includes(pinned) && !log.includes(kept), log);
    const { runs } = await client.request('runs', {});
    assert.deepEqual(
      runs.map((listed) => [listed.runId, listed.checkpoints.length]),
      [
        [runId, 2],
        [run.runId, 2],
        [kept, 2],
        [pinned, 2],
        [oldest, 0],
      ],
    );
  });

  it('pins the run that trains, and keeps the pin when it ends', async () => {
    const run = await place.train(client, LONG);
    await run.first('epoch');
    await client.request('pin', { runId: run.runId, pinned: true });
    await client.stop(run.runId, false);
    await run.result();
    await untilStatus(client, (status) => status.run === null);
    assert.equal((await place.volume.readRecord(await place.runDir(run.runId)))?.pinned, true);
    assert.equal((await client.request('pin', { runId: run.runId, pinned: false })).pinned, false);
  });

  it('has a whole run.json at every moment, which moves forward only', async () => {
    const run = await place.train(client, { epochs: 6 });
    const path = join(await place.runDir(run.runId), 'run.json');
    const order = ['queued', 'preparing', 'training', 'completed'];
    const seen: RunRecord[] = [];
    while (seen.at(-1)?.state !== 'completed') {
      seen.push(v.parse(runRecordSchema, JSON.parse(await readFile(path, 'utf8'))));
    }
    const places = seen.map(({ state }) => order.indexOf(state));
    assert.deepEqual(places, [...places].sort());
    assert.ok(!places.includes(-1));
    const epochs = seen.flatMap(({ checkpoints }) => checkpoints.filter(({ kind }) => kind === 'last'));
    assert.deepEqual(
      epochs.map(({ epoch }) => epoch),
      epochs.map(({ epoch }) => epoch).sort(),
    );
    assert.deepEqual(
      (await readdir(await place.runDir(run.runId))).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});
