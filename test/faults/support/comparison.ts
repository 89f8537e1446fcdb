import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../../../src/protocol/events';
import { runEventSchema } from '../../../src/protocol/events';
import type { EpochRow } from '../../../src/protocol/runView';
import { applyEvent, emptyRunView } from '../../../src/protocol/runView';
import { parse } from '../../../src/protocol/schema';
import { readEvents } from '../../../src/volume/eventLog';
import { readTensors } from '../../../src/volume/safetensors';

/** What has to be the same whatever befell a run. */
export interface Numbers {
  epochs: Map<number, Omit<EpochRow, 'seq' | 'time' | 'time_s' | 'images_per_second' | 'runId'>>;
  valAcc: number | null;
  best: Map<string, Buffer>;
  last: Map<string, Buffer>;
}

/** The run's log as it lies in the volume. @throws AssertionError for a seq that is missing or repeated, or a line that is none */
export async function storedEvents(dir: string): Promise<RunEvent[]> {
  const text = await readFile(join(dir, 'events.jsonl'), 'utf8');
  assert.ok(text.endsWith('\n'));
  const lines = text.trimEnd().split('\n');
  return lines.map((line, index) => {
    const event = parse(runEventSchema, JSON.parse(line), 'event');
    assert.equal(event.seq, index + 1, `line ${index + 1} of ${dir}`);
    return event;
  });
}

/** The same for a volume that was full: a line may have been cut off, and the events go on after it. */
export async function wholeEvents(dir: string): Promise<RunEvent[]> {
  const events = await readEvents(join(dir, 'events.jsonl'));
  events.forEach(({ seq }, index) => assert.equal(seq, index + 1));
  return events;
}

/** The epochs of a run as they stand in the end, by number. */
export function epochsOf(events: readonly RunEvent[]): Numbers['epochs'] {
  const view = emptyRunView('run');
  events.forEach((event) => applyEvent(view, event));
  assert.deepEqual(
    view.epochs.map(({ epoch }) => epoch),
    view.epochs.map((_, index) => (view.epochs[0]?.epoch ?? 1) + index),
    'every epoch once and in order',
  );
  return new Map(
    view.epochs.map(({ type, epoch, epochs, train_loss, train_acc, val_loss, val_acc, lr }) => [
      epoch,
      { type, epoch, epochs, train_loss, train_acc, val_loss, val_acc, lr },
    ]),
  );
}

export async function numbersOf(dir: string): Promise<Numbers> {
  const events = await storedEvents(dir);
  const result = events.at(-1);
  assert.equal(result?.type, 'result');
  assert.equal(result.status, 'completed', result.error?.message);
  return {
    epochs: epochsOf(events),
    valAcc: result.val_acc,
    best: await tensors(join(dir, 'best.safetensors')),
    last: await tensors(join(dir, 'last.safetensors')),
  };
}

async function tensors(path: string): Promise<Map<string, Buffer>> {
  const read = [...(await readTensors(path))];
  return new Map(
    read.map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]),
  );
}
