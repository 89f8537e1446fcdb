import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { recipeSpecSchema } from '../../src/protocol/parameters';
import { needsPython } from './support/interpreters';
import { Folder } from './support/trainer';

const ROOT = resolve('src/container/python');

const LINES: readonly (readonly [line: string, values: Record<string, number>])[] = [
  [
    'Epoch   3/10 | Train loss: 0.41 acc: 0.82 | Val loss: 0.39 acc: 0.84 | LR: 1.0e-04 | Time: 3.2s',
    { train_loss: 0.41, train_acc: 0.82, val_loss: 0.39, val_acc: 0.84, lr: 1e-4, time_s: 3.2 },
  ],
  [
    '782/782 [====] - 3s 4ms/step - loss: 0.4 - accuracy: 0.8 - val_loss: 0.3 - val_accuracy: 0.85',
    { train_loss: 0.4, train_acc: 0.8, val_loss: 0.3, val_acc: 0.85 },
  ],
  [
    'Epoch 3: 100%|██████████| 782/782 [00:10<00:00, 75.2it/s, v_num=0, train_loss=0.41, val_acc=0.84]',
    { train_loss: 0.41, val_acc: 0.84 },
  ],
  ["{'eval_loss': 0.48, 'eval_accuracy': 0.82, 'epoch': 1.0}", { val_loss: 0.48, val_acc: 0.82 }],
  ['Test set: Average loss: 0.0512, Accuracy: 9838/10000 (98%)', { val_loss: 0.0512, val_acc: 0.9838 }],
  ['[Epoch 2/5] loss: 0.5 | val acc: 82.50%', { train_loss: 0.5, val_acc: 0.825 }],
  [' 45%|####5     | 352/782 [00:05<00:06, 70it/s, loss=0.41]', { train_loss: 0.41 }],
  ['step 250: train loss 2.1, val loss 2.3', { train_loss: 2.1, val_loss: 2.3 }],
  ['f1 of run 7 => 0.5', { f1: 0.5 }],
  ['Best val acc: 0.84 at epoch 3', {}],
  ['Found 100 images in 2 classes, listening on port: 8080', {}],
];

const READ = `
import json, sys
sys.path.insert(0, sys.argv[1])
from tinycats._container.metric_lines import LineReader
reader = LineReader([r"f1 of run \\d+ => (?P<f1>[\\d.]+)"])
readings = [reader.read(line) for line in json.load(sys.stdin)]
print(json.dumps([reading.values if reading else {} for reading in readings]))
`;

describe('metrics in lines', () => {
  it('are read as the documentation says', function () {
    const { stdout, stderr } = spawnSync(needsPython(this), ['-c', READ, ROOT], {
      input: JSON.stringify(LINES.map(([line]) => line)),
      encoding: 'utf8',
    });
    assert.deepEqual(
      JSON.parse(stdout || 'null'),
      LINES.map(([, values]) => values),
      stderr,
    );
  });
});

describe('a description', () => {
  it('is a recipe, made without running the file', function () {
    const folder = new Folder({
      'train.py': `
raise SystemExit("this is not to be run")
def train(data: str, epochs: int = 5, lr: float = 1e-3, amp: bool = True, out: str | None = None,
          kind: Literal["a", "b"] = "b", sizes: list = [1]):  # layers
    """Trains.

    Args:
        data: where it is
    """
`,
    });
    const args = [resolve(ROOT, 'tinycats_describe.py'), folder.path, 'train.py:train'];
    const { stdout } = spawnSync(needsPython(this), args, { encoding: 'utf8' });
    folder.dispose();
    const { recipe } = v.parse(
      v.looseObject({ ok: v.literal(true), recipe: recipeSpecSchema }),
      JSON.parse(stdout),
    );
    assert.deepEqual(
      recipe.parameters.map((spec) => [spec.name, spec.type, spec.default]),
      [
        ['data', 'text', ''],
        ['epochs', 'integer', 5],
        ['lr', 'number', 0.001],
        ['amp', 'boolean', true],
        ['out', 'text', ''],
        ['kind', 'choice', 'b'],
        ['sizes', 'text', '[1]'],
      ],
    );
    assert.equal(recipe.parameters[0]?.required, true);
    assert.deepEqual([recipe.name, recipe.parameters[0].description], ['train', 'where it is']);
  });
});
