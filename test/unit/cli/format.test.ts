import assert from 'node:assert/strict';
import {
  bytesText,
  clockText,
  dateText,
  durationText,
  epochText,
  exponentText,
  tableLines,
} from '../../../src/cli/format';
import { phaseLines } from '../../../src/cli/phaseLines';

describe('formats of the command line', () => {
  it('writes durations', () => {
    assert.deepEqual([0.4, 812, 3210, 59_949, 59_950, 245_000, 7_445_000].map(durationText), [
      '0 ms',
      '812 ms',
      '3.2 s',
      '59.9 s',
      '1:00 min',
      '4:05 min',
      '2:04:05 h',
    ]);
    assert.equal(clockText(7000), '0:07');
    assert.equal(dateText(new Date(2025, 0, 2, 3, 4, 5)), '2025-01-02 03:04:05');
  });

  it('writes sizes and learning rates', () => {
    assert.deepEqual([0, 999, 1000, 44_700_000, 999_960].map(bytesText), [
      '0 B',
      '999 B',
      '1.0 kB',
      '44.7 MB',
      '1.0 MB',
    ]);
    assert.deepEqual([1e-4, 0.05, 1, 3e-12].map(exponentText), ['1.0e-04', '5.0e-02', '1.0e+00', '3.0e-12']);
  });

  it('writes an epoch on one line', () => {
    const line = epochText({
      type: 'epoch',
      runId: 'r',
      seq: 1,
      time: 0,
      epoch: 3,
      epochs: 10,
      train_loss: 0.412,
      train_acc: 0.82,
      val_loss: 0.389,
      val_acc: 0.84,
      lr: 1e-4,
      images_per_second: 500,
      time_s: 3.21,
    });
    assert.equal(
      line,
      'Epoch   3/10 | Train loss: 0.41 acc: 0.82 | Val loss: 0.39 acc: 0.84 | LR: 1.0e-04 | Time: 3.2s',
    );
  });

  it('lines up the columns of a table, wide characters included', () => {
    assert.deepEqual(
      tableLines(
        [{ title: 'NAME' }, { title: 'N', align: 'right' }, { title: 'X' }],
        [
          ['猫', '7', ''],
          ['other', '12', 'y'],
        ],
      ),
      ['NAME    N  X', '猫      7', 'other  12  y'],
    );
  });

  it('shows the parts of a phase below it, in the order of their start', () => {
    const phase = { scope: 'enter' as const };
    const lines = phaseLines([
      { ...phase, name: 'kernels', startMs: 100, durationMs: 20, within: 'warm-up' },
      { ...phase, name: 'warm-up', startMs: 90, durationMs: 40, within: 'device' },
      { ...phase, name: 'device', startMs: 50, durationMs: 90 },
      { ...phase, name: 'model', startMs: 140, durationMs: 5 },
    ]);
    assert.deepEqual(
      lines.map((line) => line.replace(/ {2,}(?=\d)/, ' ')),
      ['  device 90 ms', '    warm-up 40 ms', '      kernels 20 ms', '  model 5 ms'],
    );
  });
});
