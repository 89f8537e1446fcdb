import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../../src/protocol/events';
import { EventLogReader, EventLogWriter, readEvents } from '../../../src/volume/eventLog';

describe('event log', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tiny cats ä "log" '));
    path = join(folder, 'events.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function write(texts: readonly string[], lastSeq = 0): RunEvent[] {
    const log = new EventLogWriter(path, 'r', lastSeq);
    try {
      return texts.map((text) => log.append({ type: 'log', level: 'info', text }));
    } finally {
      log.close();
    }
  }

  it('gives back what was appended, numbered from 1, and parts of it', async () => {
    const written = write(['a', 'Kätzchen\n猫 "x"', '']);
    assert.deepEqual(
      written.map(({ seq }) => seq),
      [1, 2, 3],
    );
    assert.deepEqual(await readEvents(path), written);
    assert.deepEqual(await readEvents(path, 2), written.slice(2));
    assert.deepEqual(await readEvents(path, 7), []);
    assert.equal((await readFile(path, 'utf8')).split('\n').length, 4);
  });

  it('of a missing file is empty', async () => {
    assert.deepEqual(await readEvents(join(folder, 'none')), []);
  });

  it('passes over a last line that was cut off, and takes the events that follow it', async () => {
    const [first, second] = write(['a', 'b']);
    await truncate(path, (await readFile(path)).length - 10);
    assert.deepEqual(await readEvents(path), [first]);
    const [again, third] = write(['b again', 'c'], 1);
    assert.equal(again?.seq, second?.seq);
    assert.deepEqual(await readEvents(path), [first, again, third]);
  });

  it('takes each number once when two settle the same run', async () => {
    const [first] = write(['a']);
    const [mine] = write(['ended'], 1);
    write(['ended, says another'], 1);
    assert.deepEqual(await readEvents(path), [first, mine]);
  });

  it('passes over lines that are no events', async () => {
    const [first] = write(['a']);
    await appendFile(path, 'nonsense\n\n{"seq":2}\n{"runId":"r","seq":2,"time":1,"type":"unheard of"}\n');
    const [second] = write(['b'], 1);
    assert.deepEqual(await readEvents(path), [first, second]);
  });

  it('is read while it grows, a line only once it is whole', async () => {
    await writeFile(path, '');
    const reader = new EventLogReader(path);
    try {
      assert.deepEqual(await reader.read(), []);
      const [first] = write(['a']);
      assert.deepEqual(await reader.read(), [first]);
      assert.deepEqual(await reader.read(), []);
      const line = `${JSON.stringify({ ...first, seq: 2, text: 'b' })}\n`;
      await appendFile(path, line.slice(0, 20));
      assert.deepEqual(await reader.read(), []);
      await appendFile(path, line.slice(20));
      assert.deepEqual(await reader.read(), [{ ...first, seq: 2, text: 'b' }]);
    } finally {
      await reader.close();
    }
  });

  it('is read in pieces of a bounded size, also if a line is longer than a piece', async () => {
    const long = 'x'.repeat(700_000);
    const written = write([...Array.from({ length: 20_000 }, (_, index) => `line ${index}`), long, 'last']);
    const reader = new EventLogReader(path, 5);
    const pieces: number[] = [];
    const all: RunEvent[] = [];
    for (let some = await reader.read(); some.length > 0; some = await reader.read()) {
      pieces.push(some.length);
      all.push(...some);
    }
    await reader.close();
    assert.deepEqual(all, written.slice(5));
    assert.ok(Math.max(...pieces) < 10_000);
  });

  it('takes nothing once it is closed', () => {
    const log = new EventLogWriter(path, 'r');
    log.close();
    log.close();
    assert.throws(() => log.append({ type: 'log', level: 'info', text: '' }), /is closed/);
  });
});
