import assert from 'node:assert/strict';
import { needsPython } from './support/interpreters';
import { Folder, PythonTrainer } from './support/trainer';

const CODE = `
import sys


def train(lines: int = 40_000):
    for number in range(lines):
        print(f"line {number}")
    print("error: a cat is out", file=sys.stderr)
    print("Epoch 1/1 | Train loss: 0.50 acc: 0.25 | Val loss: 0.40 acc: 0.75")
    print("the end")
`;

describe('a flood of prints', () => {
  it('is cut where the log has enough, with a word about it; metrics, errors and the last lines come', async function () {
    const python = needsPython(this);
    const folder = new Folder({ 't.py': CODE });
    const trainer = PythonTrainer.ofFile(python, folder, 't.py:train');
    try {
      const run = await trainer.run();
      run.assertStatus('completed');
      const lines = run.lines('info').map(String);
      assert.equal(lines.filter((line) => line === 'line 19999').length, 1);
      assert.ok(lines.length < 30_000, `${lines.length} lines`);
      const told = lines.filter((line) => line.startsWith('line ')).length;
      const missing = lines.flatMap((line) => /^… (\d+) lines were left out\.$/.exec(line)?.[1] ?? []);
      assert.equal(told + missing.map(Number).reduce((sum, count) => sum + count, 0), 40_000);
      assert.equal(lines.at(-1), 'the end');
      assert.equal(lines.at(-3), 'line 39999');
      const warnings = run.lines('warning');
      assert.equal(warnings.length, 1);
      assert.match(String(warnings[0]), /prints more than its log takes.*20000 lines at once/);
      assert.deepEqual(run.lines('error'), ['error: a cat is out']);
      assert.equal(run.events('epoch')[0]?.val_acc, 0.75);
    } finally {
      await trainer.dispose();
      folder.dispose();
    }
  });
});
