import assert from 'node:assert/strict';
import { recordingTerminal } from './recordingTerminal';

describe('Terminal', () => {
  it('keeps the progress line below what is written', () => {
    const { terminal, stdout } = recordingTerminal({ isTTY: true });
    terminal.progress('half done');
    terminal.line('Epoch 1');
    terminal.clearProgress();
    assert.equal(stdout(), '\r\u001b[Khalf done\r\u001b[KEpoch 1\nhalf done\r\u001b[K');
  });

  it('clears the progress line before a message on stderr', () => {
    const { terminal, stdout, stderr } = recordingTerminal({ isTTY: true });
    terminal.progress('half done');
    terminal.message('careful');
    assert.equal(stderr(), 'careful\n');
    assert.equal(stdout(), '\r\u001b[Khalf done\r\u001b[Khalf done');
  });

  it('draws no progress line that would wrap', () => {
    const { terminal, stdout } = recordingTerminal({ isTTY: true, columns: 10 });
    terminal.progress('0123456789');
    assert.equal(stdout(), '\r\u001b[K');
  });

  it('redraws nothing where stdout is no terminal', () => {
    const { terminal, stdout } = recordingTerminal();
    terminal.progress('half done');
    terminal.line('Epoch 1');
    terminal.clearProgress();
    assert.equal(stdout(), 'Epoch 1\n');
  });

  it('colours only where colours are on', () => {
    assert.equal(
      recordingTerminal({ colours: true }).terminal.style('x', 'bold', 'red'),
      '\u001b[1m\u001b[31mx\u001b[0m',
    );
    assert.equal(recordingTerminal().terminal.style('x', 'red'), 'x');
  });

  it('writes no more once nobody reads', () => {
    const { terminal, stdout } = recordingTerminal();
    terminal.line('first');
    terminal.close();
    terminal.line('second');
    assert.equal(stdout(), 'first\n');
    assert.equal(terminal.closed.aborted, true);
  });
});
