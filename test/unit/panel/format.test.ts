import assert from 'node:assert/strict';
import {
  counted,
  formatBytes,
  formatClock,
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
  formatTimeLeft,
} from '../../../webview/shared/format';

function says(format: (value: number) => string, pairs: [number, string][]): void {
  for (const [value, text] of pairs) {
    assert.equal(format(value), text);
  }
}

describe('texts of numbers in a webview', () => {
  it('shows bytes with three digits and never 1000 of a unit', () => {
    says(formatBytes, [
      [0, '0 B'],
      [999, '999 B'],
      [1536, '1.54 kB'],
      [999_999, '1.00 MB'],
      [1_843_200, '1.84 MB'],
      [46_800_000, '46.8 MB'],
      [2.5e12, '2.50 TB'],
    ]);
  });

  it('shows short durations in the unit that a person would use', () => {
    says(formatDuration, [
      [0, '0 ms'],
      [6, '6.0 ms'],
      [84.3, '84 ms'],
      [999.6, '1.00 s'],
      [1712, '1.71 s'],
      [59_999, '0:59 min'],
      [65_000, '1:05 min'],
    ]);
  });

  it('shows a running time as a clock, and never a negative one', () => {
    says(formatClock, [
      [-5, '0:00'],
      [7900, '0:07'],
      [750_000, '12:30'],
      [3_723_000, '1:02:03'],
    ]);
  });

  it('rounds an estimate the more the longer it is', () => {
    says(formatTimeLeft, [
      [0, '1 s'],
      [12_300, '13 s'],
      [63_000, '1 min 3 s'],
      [601_000, '10 min'],
      [4_800_000, '1 h 20 min'],
    ]);
  });

  it('keeps tiny and huge losses readable', () => {
    says(formatLoss, [
      [0, '0.0000'],
      [0.34567, '0.3457'],
      [0.00001234, '1.23e-5'],
      [12.34567, '12.346'],
      [1e9, '1.00e+9'],
    ]);
  });

  it('writes learning rates as people do', () => {
    says(formatRate, [
      [0, '0'],
      [0.001, '0.001'],
      [3e-4, '3e-4'],
      [9.264e-5, '9.26e-5'],
    ]);
  });

  it('writes shares and counts', () => {
    assert.equal(formatPercent(0.9421), '94.2%');
    assert.equal(counted(1, 'image'), '1 image');
    assert.equal(counted(12_345, 'image'), '12,345 images');
  });
});
