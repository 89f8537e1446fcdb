import assert from 'node:assert/strict';
import type { LogLine } from '../../../src/protocol/runView';
import { EVERYTHING, lineMatcher, linesAfter, logText } from '../../../webview/panel/logLines';

const lines: LogLine[] = [
  { seq: 2, time: 0, level: 'debug', text: 'phase model: 11 ms' },
  { seq: 5, time: 0, level: 'warning', text: 'cat/Broken.jpg: skipped' },
  { seq: 9, time: 0, level: 'error', text: 'the loss is NaN' },
];
const shown = (filter: Parameters<typeof lineMatcher>[0]) =>
  lines.filter(lineMatcher(filter)).map(({ seq }) => seq);

describe('log of the panel', () => {
  it('hides lines below the level', () => {
    assert.deepEqual(shown(EVERYTHING), [2, 5, 9]);
    assert.deepEqual(shown({ level: 'warning', text: '' }), [5, 9]);
    assert.deepEqual(shown({ level: 'error', text: '' }), [9]);
  });

  it('finds text in any case and takes no character for a pattern', () => {
    assert.deepEqual(shown({ level: 'debug', text: ' broken.JPG ' }), [5]);
    assert.deepEqual(shown({ level: 'debug', text: '.*' }), []);
  });

  it('takes only the lines that are new', () => {
    const seqs = (after: number) => linesAfter(lines, after).map(({ seq }) => seq);
    assert.deepEqual(seqs(0), [2, 5, 9]);
    assert.deepEqual(seqs(5), [9]);
    assert.deepEqual(seqs(9), []);
  });

  it('copies one line of text for each line', () => {
    const copied = logText(lines).split('\n');
    assert.equal(copied.length, 3);
    assert.match(copied[1] ?? '', /^\d\d:\d\d:\d\d\.\d{3} WARNING cat\/Broken\.jpg: skipped$/);
  });
});
