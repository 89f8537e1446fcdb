import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerClient } from '../../src/client/containerClient';
import { readTensors } from '../../src/volume/safetensors';
import { Following, range } from '../container/support/following';
import { LONG, Place } from '../container/support/place';
import { untilStatus, untilTrue } from '../container/support/waiting';
import { figure } from './support/figures';
import { wholeEvents } from './support/comparison';

const run = promisify(execFile);
const VOLUME_BYTES = 24 * 1024 * 1024;

describe('an outputs volume', () => {
  let place: Place;
  let client: ContainerClient;
  let mounted = false;
  before(async function () {
    place = await Place.make();
    await mkdir(place.outputsDir, { recursive: true });
    mounted = await run('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${VOLUME_BYTES}`,
      'tmpfs',
      place.outputsDir,
    ]).then(
      () => true,
      () => false,
    );
    if (!mounted) {
      figure('full disk', 'not tested: a small file system needs the right to mount one');
      this.skip();
    }
    client = place.client();
  });
  after(async () => {
    if (mounted) {
      await client.cool();
      // A trainer ends a moment after its supervisor.
      await untilTrue(() =>
        run('umount', [place.outputsDir]).then(
          () => true,
          () => false,
        ),
      );
    }
    await place.dispose();
  });

  /** Leaves no byte free. */
  async function fill(): Promise<string> {
    const path = join(place.outputsDir, 'filler');
    const file = await open(path, 'a');
    const piece = Buffer.alloc(4096);
    try {
      for (;;) {
        await file.write(piece);
      }
    } catch {
      return path;
    } finally {
      await file.close();
    }
  }

  it('that is full ends the run with a message, keeps its last whole checkpoint, and is used again', async () => {
    const full = new Following(client, (await place.train(client, LONG)).runId);
    await full.first('checkpoint', ({ kind }) => kind === 'last');
    const filler = await fill();
    const { status, error } = await full.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'volume');
    assert.match(error.message, /cannot be written \(ENOSPC.*Make room/);
    assert.deepEqual(full.seqs, range(1, full.events.length));
    const dir = await place.runDir(full.runId);
    for (const name of ['best.safetensors', 'last.safetensors']) {
      assert.ok((await readTensors(join(dir, name))).size > 0, name);
    }
    await untilStatus(client, (next) => next.run === null);
    await fill();
    await assert.rejects(
      client.train('classifier', place.params(), place.options()),
      /outputs volume ".*" cannot be written \(ENOSPC.*Make room/,
    );

    await rm(filler);
    const next = await place.train(client);
    const ended = await next.result();
    assert.equal(ended.status, 'completed', ended.error?.message);
    assert.equal((await next.result()).start, 'warm');
    await untilTrue(async () => (await place.volume.readRecord(dir))?.state === 'failed');
    const stored = await wholeEvents(dir);
    assert.deepEqual(
      stored.map(({ type }) => type),
      full.events.map(({ type }) => type),
    );
    const { bavail, bsize } = await statfs(place.outputsDir);
    figure('full disk', `${VOLUME_BYTES} bytes, ${bavail * bsize} free again; ${stored.length} events kept`);
  });

  it('that can only be read refuses runs, is still shown, and is used again', async () => {
    await untilStatus(client, (next) => next.run === null);
    const before = (await client.request('runs', {})).runs.length;
    await run('mount', ['-o', 'remount,ro', place.outputsDir]);
    try {
      await assert.rejects(
        client.train('classifier', place.params(), place.options()),
        /outputs volume ".*" cannot be written \(EROFS.*make it writable/,
      );
      assert.equal((await client.request('runs', {})).runs.length, before);
    } finally {
      await run('mount', ['-o', `remount,rw,size=${VOLUME_BYTES}`, place.outputsDir]);
    }
    assert.equal((await (await place.train(client)).result()).status, 'completed');
  });
});
