import assert from 'node:assert/strict';
import { TransferLine, transferText } from '../../../src/cli/transferLine';
import { recordingTerminal } from './recordingTerminal';

describe('a transfer on the command line', () => {
  it('is told with its share, speed and time left', () => {
    assert.equal(
      transferText('Sending 12 files', 3_100_000, 12_400_000, 4_650_000),
      'Sending 12 files: 3.1 MB of 12.4 MB, 25%, 4.7 MB/s, 0:02 left',
    );
    assert.equal(transferText('Sending 1 file', 0, 1000, undefined), 'Sending 1 file: 0 B of 1.0 kB, 0%');
  });

  it('has its speed of the last seconds, not of all', () => {
    const { terminal, stdout } = recordingTerminal({ isTTY: true });
    let nowMs = 0;
    const line = new TransferLine(terminal, 'Sending', 'Sent', () => nowMs);
    for (const [atMs, bytes] of [
      [0, 0],
      [1000, 10_000_000],
      [5000, 10_400_000],
      [8000, 10_700_000],
    ] as const) {
      nowMs = atMs;
      line.show('1 file', bytes, 11_000_000);
    }
    assert.match(stdout().split('\r').at(-1) ?? '', /97%, 100\.0 kB\/s, 0:03 left$/);
  });

  it('is told twice where no line can be redrawn, and not at all where there was nothing to do', () => {
    const { terminal, stdout, stderr } = recordingTerminal();
    let nowMs = 0;
    const line = new TransferLine(terminal, 'Fetching', 'Fetched', () => nowMs);
    line.end('best.safetensors');
    assert.equal(stderr(), '');
    line.show('best.safetensors', 0, 2000);
    nowMs = 1500;
    line.show('best.safetensors', 2000, 2000);
    line.end('best.safetensors');
    assert.equal(
      stderr(),
      'Fetching best.safetensors (2.0 kB)\nFetched best.safetensors (2.0 kB) in 1.5 s\n',
    );
    assert.equal(stdout(), '');
  });
});
