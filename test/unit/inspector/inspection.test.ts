import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointReaders } from '../../../src/host/inspect/checkpointReader';
import { Inspection } from '../../../src/host/inspect/inspection';
import type { CheckpointSummary, HostToInspector } from '../../../src/protocol/inspector';
import { SchemaError } from '../../../src/protocol/schema';
import { writeSafetensors } from '../../../src/volume/safetensors';

describe('an open inspector', () => {
  let folder: string;
  let path: string;
  let posted: HostToInspector[];
  let copied: string[];
  let inspection: Inspection;

  const open = (readers = checkpointReaders) =>
    new Inspection({
      path,
      readers,
      post: (message) => posted.push(message),
      copy: (text) => copied.push(text),
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tiny cats ä’s '));
    path = join(folder, 'best.safetensors');
    posted = [];
    copied = [];
    inspection = open();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = (epoch: number, to = path) =>
    writeSafetensors(
      to,
      [
        { name: 'head.weight', shape: [2, 3], data: new Float32Array(6) },
        { name: 'head.bias', shape: [], data: new Float32Array(1) },
      ],
      { epoch: String(epoch), classes: '["cat","other"]' },
    );

  function lastSummary(): CheckpointSummary {
    const message = posted.at(-1);
    assert.equal(message?.type, 'summary');
    return message.summary;
  }

  function lastError(): string {
    const message = posted.at(-1);
    assert.equal(message?.type, 'error');
    return message.message;
  }

  it('shows metadata, tensors and totals of a checkpoint when the page is ready', async () => {
    await write(3);
    await inspection.handle({ type: 'ready' });
    const summary = lastSummary();
    assert.equal(summary.format, 'safetensors');
    assert.equal(summary.path, path);
    assert.equal(summary.parameterCount, 7);
    assert.deepEqual(summary.metadata, [
      ['epoch', '3'],
      ['classes', '["cat","other"]'],
    ]);
    assert.deepEqual(summary.tensors, [
      { name: 'head.weight', dtype: 'F32', shape: [2, 3], bytes: 24 },
      { name: 'head.bias', dtype: 'F32', shape: [], bytes: 4 },
    ]);
    assert.deepEqual(summary.notes, []);
  });

  it('follows the file as a training rewrites, breaks, removes and restores it', async () => {
    await write(1);
    await inspection.handle({ type: 'ready' });
    await write(2);
    await inspection.fileChanged();
    assert.deepEqual(lastSummary().metadata[0], ['epoch', '2']);

    await writeFile(path, 'PK\u0003\u0004 and so on, for some more bytes');
    await inspection.fileChanged();
    assert.match(lastError(), /^This is not a safetensors file, but likely a zip archive/);

    await rename(path, join(folder, 'elsewhere'));
    await inspection.fileChanged();
    assert.match(lastError(), /The file does not exist/);

    await write(3);
    await inspection.handle({ type: 'reload' });
    assert.deepEqual(lastSummary().metadata[0], ['epoch', '3']);
  });

  it('ends with the newest content however many changes come during a read', async () => {
    let started = 0;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    inspection = open([
      {
        id: 'slow',
        matches: () => true,
        read: async () => {
          started++;
          const summary = {
            format: `read ${started}`,
            path,
            fileBytes: 0,
            metadata: [],
            tensors: [],
            parameterCount: 0,
            notes: [],
          };
          await held;
          return summary;
        },
      },
    ]);
    const first = inspection.handle({ type: 'ready' });
    await Promise.all([inspection.fileChanged(), inspection.fileChanged(), inspection.fileChanged()]);
    release();
    await first;
    assert.deepEqual(
      posted.map((message) => message.type === 'summary' && message.summary.format),
      ['read 1', 'read 2'],
    );
  });

  it('reads nothing for a page that is not there and posts nothing once it is closed', async () => {
    await write(1);
    await inspection.fileChanged();
    await inspection.handle({ type: 'ready' });
    inspection.pageHidden();
    await inspection.fileChanged();
    assert.equal(posted.length, 1);
    inspection.dispose();
    await inspection.handle({ type: 'ready' });
    assert.equal(posted.length, 1);
  });

  it('copies what the page asks for and refuses messages it does not know', async () => {
    await inspection.handle({ type: 'copy', text: 'head.weight' });
    assert.deepEqual(copied, ['head.weight']);
    for (const message of [{ type: 'copy', text: 1 }, { type: 'delete' }, 'ready', null]) {
      await assert.rejects(inspection.handle(message), SchemaError);
    }
    assert.deepEqual(posted, []);
  });

  it('names the formats it knows for a file of another kind', async () => {
    path = join(folder, 'model.xyz');
    await writeFile(path, '');
    await open().handle({ type: 'ready' });
    assert.match(lastError(), /Formats that can be shown: safetensors/);
  });

  it('notes what a file lacks', async () => {
    await writeSafetensors(path, [], {});
    await inspection.handle({ type: 'ready' });
    assert.equal(lastSummary().notes.length, 2);
  });
});
