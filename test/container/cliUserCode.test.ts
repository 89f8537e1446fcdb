import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { chooseInterpreter } from '../../src/python/interpreter';
import { Workplace, resultOf, sweepEndSchema } from './cliWorkplace';

const CODE = `
def train(epochs: int = 2, lr: float = 0.1, name: str = "cat"):
    """Counts epochs.

    Args:
        epochs: How often to look
    """
    for epoch in range(1, epochs + 1):
        print(f"Epoch {epoch}/{epochs} | Train loss: 0.50 acc: 0.50 | Val loss: 0.39 acc: 0.{epoch}")
    return {"name": name}
`;

describe('tiny-cats with the user’s own code', () => {
  let workplace: Workplace;
  before(function () {
    try {
      execFileSync(chooseInterpreter('', undefined), ['-c', 'import sys; assert sys.version_info >= (3, 9)']);
    } catch {
      console.log('      skipped: there is no python3 of version 3.9 or newer on this machine');
      this.skip();
    }
    workplace = new Workplace('my code');
    mkdirSync(join(workplace.cwd, 'src'));
    writeFileSync(join(workplace.cwd, 'src', 'train.py'), CODE);
  });
  after(() => workplace.dispose());

  it('makes options of its parameters', async () => {
    const { code, stdout } = await workplace.run('train', 'src/train.py:train', '--help');
    assert.equal(code, 0);
    assert.match(stdout, /--epochs N +How often to look \(default 2\)/);
    assert.match(stdout, /--name TEXT +\(default cat\)/);
    assert.doesNotMatch(stdout, /--backbone/);
  });

  it('trains it, prints what it prints, and tells what it returned', async () => {
    const args = ['train', 'src/train.py:train', '--epochs', '3', '--name', 'tom'];
    const text = await workplace.run(...args);
    assert.equal(text.code, 0, text.stderr);
    assert.equal(text.lines.filter((line) => line.startsWith('Epoch ')).length, 3);
    assert.match(text.stdout, /Returned: {"name":"tom"}/);
    const json = await workplace.run(...args, '--json');
    const result = resultOf(json);
    assert.deepEqual([result.status, result.start, result.val_acc], ['completed', 'warm', 0.3]);
    assert.deepEqual(result.returned, { name: 'tom' });
  });

  it('runs it again, edited, with the same parameters', async () => {
    writeFileSync(join(workplace.cwd, 'src', 'train.py'), CODE.replace('{"name": name}', '[epochs, name]'));
    const result = resultOf(await workplace.run('rerun', '--json'));
    assert.deepEqual([result.start, result.returned], ['warm', [3, 'tom']]);
  });

  it('sweeps over its parameters', async () => {
    const args = ['sweep', 'src/train.py:train', '--epochs', '2,4', '--name', 'tom', '--jobs', '2', '--json'];
    const { code, lines, stderr } = await workplace.run(...args);
    assert.equal(code, 0, stderr);
    const { status, best, trials } = v.parse(sweepEndSchema, JSON.parse(lines.at(-1) ?? ''));
    assert.equal(status, 'completed');
    assert.deepEqual(
      trials.map(({ values, best: reached }) => [values.epochs, reached]),
      [
        [2, 0.2],
        [4, 0.4],
      ],
    );
    assert.deepEqual(best.values, { epochs: 4 });
  });

  it('trains TypeScript as well', async () => {
    const source = 'export const train = ({ epochs = 2 }) => [epochs, typeof epochs];';
    writeFileSync(join(workplace.cwd, 'src', 'train.ts'), source);
    const result = resultOf(await workplace.run('train', 'src/train.ts', '--epochs', '5', '--json'));
    assert.deepEqual(result.returned, [5, 'number']);
  });

  const refused: [args: string[], problem: RegExp][] = [
    [['src/train.py:train', '--epochs', 'many'], /--epochs: expected a whole number, got "many"/],
    [['src/train.py:train', '--depth', '3'], /Unknown option --depth/],
    [['src/train.py:fly'], /no function or class "fly"; it has train/],
    [['src/fly.py:train'], /There is no file .*fly\.py/],
    [
      ['src/train.py:train', '--python', '/no/python'],
      /"\/no\/python" cannot be run: there is no such program/,
    ],
  ];
  for (const [args, problem] of refused) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await workplace.run('train', ...args);
      assert.notEqual(code, 0);
      assert.match(stderr, problem);
    });
  }
});
