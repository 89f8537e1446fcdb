import assert from 'node:assert/strict';
import { defaultParameters } from '../../../src/protocol/parameters';
import { CLASSIFIER } from '../../../src/protocol/recipes';
import {
  defaultText,
  fieldProblem,
  groupParameters,
  parameterLabel,
  parameterRows,
  problemText,
  readFields,
} from '../../../webview/panel/formModel';

function spec(name: string) {
  const found = CLASSIFIER.parameters.find((parameter) => parameter.name === name);
  assert.ok(found);
  return found;
}

describe('parameter form', () => {
  it('shows every parameter once, the common ones first', () => {
    const { main, advanced } = groupParameters(CLASSIFIER);
    assert.deepEqual(
      main.map(({ name }) => name),
      ['data_dir', 'epochs', 'batch_size', 'lr', 'backbone'],
    );
    assert.equal(main.length + advanced.length, CLASSIFIER.parameters.length);
  });

  it('labels parameters in words', () => {
    assert.deepEqual(['batch_size', 'lr', 'data_dir', 'num_workers', 'val_split'].map(parameterLabel), [
      'Batch size',
      'Learning rate',
      'Data folder',
      'Number of workers',
      'Validation split',
    ]);
  });

  it('says what is wrong without repeating the name of the field', () => {
    assert.equal(fieldProblem(spec('epochs'), '3'), null);
    assert.equal(
      fieldProblem(spec('epochs'), '0'),
      'Expected a whole number of at least 1 and at most 10000, got "0"',
    );
    assert.notEqual(fieldProblem(spec('lr'), ''), null);
    assert.equal(fieldProblem(spec('lr'), '1e-4'), null);
    assert.equal(problemText('seed', 'the seed is taken'), 'The seed is taken');
  });

  it('reads typed values from texts, defaults for fields it does not have', () => {
    const { values, problems } = readFields(
      CLASSIFIER,
      new Map([
        ['epochs', '3'],
        ['pretrained', 'false'],
        ['data_dir', "/data/Kätz'chen"],
      ]),
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(values, {
      ...defaultParameters(CLASSIFIER),
      epochs: 3,
      pretrained: false,
      data_dir: "/data/Kätz'chen",
    });
  });

  it('reports every wrong field', () => {
    const { problems } = readFields(
      CLASSIFIER,
      new Map([
        ['epochs', 'many'],
        ['batch_size', '0'],
        ['backbone', 'vast_cnn'],
      ]),
    );
    assert.deepEqual(
      problems.map(({ name }) => name),
      ['epochs', 'batch_size', 'backbone'],
    );
  });

  it('lists the parameters of a run in order and marks what differs from the defaults', () => {
    const rows = parameterRows(CLASSIFIER, { epochs: 3, data_dir: 'sample', output: '', retired: 1 });
    assert.deepEqual(rows, [
      { name: 'data_dir', text: 'sample', changed: false, given: false },
      { name: 'epochs', text: '3', changed: true, given: false },
      { name: 'output', text: 'none', changed: false, given: false },
      { name: 'retired', text: '1', changed: false, given: false },
    ]);
  });

  it('is empty where a value has to be given, and says so', () => {
    const data = { name: 'data', type: 'text', default: '', description: '', required: true } as const;
    const epochs = { name: 'epochs', type: 'integer', default: 3, description: '' } as const;
    const recipe = { name: 'train.py:train', title: '', description: '', parameters: [data, epochs] };
    assert.deepEqual(defaultParameters(recipe), { epochs: 3 });
    assert.equal(defaultText(data), '');
    assert.deepEqual(
      parameterRows(recipe, { data: 'cats', epochs: 3 }).map(({ given }) => given),
      [true, false],
    );
    assert.deepEqual(readFields(recipe, new Map()).problems, [
      { name: 'data', message: 'A value is needed, it has no default' },
    ]);
    assert.deepEqual(readFields(recipe, new Map([['data', 'cats']])).values, { data: 'cats', epochs: 3 });
    assert.deepEqual(groupParameters(recipe).advanced, []);
    assert.deepEqual(
      parameterRows(recipe, { data: 'cats', epochs: 3 }).map(({ name, changed }) => [name, changed]),
      [
        ['data', false],
        ['epochs', false],
      ],
    );
  });
});
