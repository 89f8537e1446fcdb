import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { SendingNotice } from '../../../src/host/container/sendingNotice';
import type { SendProgress } from '../../../src/transfer/sendFolder';

class Sender extends EventEmitter<{ sending: [SendProgress | undefined] }> {
  cancelled = 0;
  cancelSending(): void {
    this.cancelled += 1;
  }
}

describe('the notification of data that is sent', () => {
  let sender: Sender;
  let titles: string[];
  let messages: string[];
  let cancel: () => void;
  let open: number;
  let nowMs: number;

  beforeEach(() => {
    sender = new Sender();
    titles = [];
    messages = [];
    open = 0;
    nowMs = 0;
    new SendingNotice({
      show: async (title, work) => {
        titles.push(title);
        open += 1;
        await work(
          ({ message }) => messages.push(message),
          (listener) => (cancel = listener),
        );
        open -= 1;
      },
      container: sender,
      targetName: () => 'box',
      now: () => nowMs,
    });
  });

  const send = (sentBytes: number, totalBytes = 40_000_000): boolean =>
    sender.emit('sending', { sentBytes, totalBytes, files: 3 });

  it('says how far it is and how fast, breaks it off, and goes with its end', async () => {
    send(0);
    nowMs = 1000;
    send(20_000_000);
    assert.deepEqual(titles, ['Tiny Cats: sending 3 files to box']);
    assert.deepEqual(messages, ['0 B of 40.0 MB', '20.0 MB of 40.0 MB, 20.0 MB/s']);
    cancel();
    assert.equal(sender.cancelled, 1);
    sender.emit('sending', undefined);
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(open, 0);
    send(1);
    assert.equal(titles.length, 2);
  });

  it('does not flash up for what is sent at once', () => {
    send(0, 5000);
    sender.emit('sending', undefined);
    assert.deepEqual(titles, []);
  });
});
