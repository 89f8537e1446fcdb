import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { RunEvent, RunEventBody } from '../protocol/events';
import { runEventSchema } from '../protocol/events';
import { parse } from '../protocol/schema';

const NEWLINE = 0x0a;
const READ_BYTES = 256 * 1024;

/** Appends a run's events, one JSON object a line. There is one writer for a log: the container's supervisor. */
export class EventLogWriter {
  private readonly file: number;
  private closed = false;

  /** @param lastSeq seq of the last event that the log holds already */
  constructor(
    private readonly path: string,
    private readonly runId: string,
    private lastSeq = 0,
  ) {
    this.file = openSync(path, 'a+');
    try {
      this.endCutLine();
    } catch (error) {
      closeSync(this.file);
      throw error;
    }
  }

  /**
   * Numbers the event, stamps it and writes it whole.
   * @throws Error if the volume is full, read-only or gone
   */
  append(body: RunEventBody): RunEvent {
    const event: RunEvent = { runId: this.runId, seq: this.lastSeq + 1, time: Date.now(), ...body };
    this.write(event);
    return event;
  }

  /**
   * Writes an event that has its number already.
   * @throws Error if the volume is full, read-only or gone
   */
  write(event: RunEvent): void {
    if (this.closed) {
      throw new Error(`${this.path} is closed`);
    }
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    for (let written = 0; written < line.length;) {
      written += writeSync(this.file, line, written);
    }
    this.lastSeq = event.seq;
  }

  /** A line that a power loss cut off must not swallow the next one. */
  private endCutLine(): void {
    const { size } = fstatSync(this.file);
    const last = Buffer.alloc(1);
    if (size > 0 && readSync(this.file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE) {
      writeSync(this.file, '\n');
    }
  }

  close(): void {
    if (!this.closed) {
      this.closed = true;
      try {
        fsyncSync(this.file);
      } finally {
        closeSync(this.file);
      }
    }
  }
}

/**
 * Reads a log from its beginning, also while it grows. Only whole lines count: one that was cut off by a power
 * loss, or is still being written, is not there yet. Each event comes once and in order.
 */
export class EventLogReader {
  private file: FileHandle | undefined;
  private offset = 0;
  private rest: Buffer = Buffer.alloc(0);
  private lastSeq = 0;

  /** @param afterSeq events up to this one are passed over */
  constructor(
    private readonly path: string,
    private readonly afterSeq = 0,
  ) {}

  /** The next events in the log, in pieces of a bounded size; empty if there are no more for now. */
  async read(): Promise<RunEvent[]> {
    this.file ??= await open(this.path, 'r');
    const events: RunEvent[] = [];
    while (events.length === 0) {
      const buffer = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await this.file.read(buffer, 0, READ_BYTES, this.offset);
      if (bytesRead === 0) {
        break;
      }
      this.offset += bytesRead;
      this.take(buffer.subarray(0, bytesRead), events);
    }
    return events;
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }

  private take(piece: Buffer, events: RunEvent[]): void {
    const data = this.rest.length === 0 ? piece : Buffer.concat([this.rest, piece]);
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, start)) {
      const event = readLine(data.toString('utf8', start, end));
      start = end + 1;
      // A line that is no event was cut off by a power loss, and one with an old seq was written by two who
      // settled the same interrupted run: neither was ever sent.
      if (event?.seq === this.lastSeq + 1) {
        this.lastSeq = event.seq;
        if (event.seq > this.afterSeq) {
          events.push(event);
        }
      }
    }
    this.rest = Buffer.from(data.subarray(start));
  }
}

/** All whole events of a log. A missing log has none. */
export async function readEvents(path: string, afterSeq = 0): Promise<RunEvent[]> {
  const reader = new EventLogReader(path, afterSeq);
  const events: RunEvent[] = [];
  try {
    for (let some = await reader.read(); some.length > 0; some = await reader.read()) {
      events.push(...some);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw error;
    }
  } finally {
    await reader.close();
  }
  return events;
}

function readLine(line: string): RunEvent | undefined {
  try {
    return parse(runEventSchema, JSON.parse(line), 'event');
  } catch {
    return undefined;
  }
}
