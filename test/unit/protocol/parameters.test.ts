import assert from 'node:assert/strict';
import type { ParameterSpec, RecipeSpec } from '../../../src/protocol/parameters';
import {
  checkParameters,
  defaultParameters,
  ParameterError,
  parseParameter,
  recipeSpecSchema,
} from '../../../src/protocol/parameters';
import { CLASSIFIER, findRecipe } from '../../../src/protocol/recipes';
import { parse } from '../../../src/protocol/schema';

const common = { description: '' };
const COUNT: ParameterSpec = {
  ...common,
  name: 'count',
  type: 'integer',
  default: 3,
  minimum: 1,
  maximum: 9,
};
const SHARE: ParameterSpec = {
  ...common,
  name: 'share',
  type: 'number',
  default: 0.5,
  minimum: 0,
  exclusiveMinimum: true,
  maximum: 1,
  exclusiveMaximum: true,
};
const RATE: ParameterSpec = { ...common, name: 'rate', type: 'number', default: 0, minimum: 0 };
const FLAG: ParameterSpec = { ...common, name: 'flag', type: 'boolean', default: false };
const KIND: ParameterSpec = { ...common, name: 'kind', type: 'choice', default: 'a', choices: ['a', 'b'] };
const DIR: ParameterSpec = { ...common, name: 'dir', type: 'folder', default: 'sample' };
const NOTE: ParameterSpec = { ...common, name: 'note', type: 'text', default: '' };
const RECIPE: RecipeSpec = {
  name: 'r',
  title: '',
  description: '',
  parameters: [COUNT, SHARE, RATE, FLAG, KIND, DIR, NOTE],
};

function problemsOf(work: () => unknown): Record<string, string> {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ParameterError);
    return Object.fromEntries(error.problems.map(({ name, message }) => [name, message]));
  }
  return {};
}

describe('parameters', () => {
  it('are filled in with defaults', () => {
    assert.deepEqual(checkParameters(RECIPE, {}), defaultParameters(RECIPE));
    assert.deepEqual(checkParameters(RECIPE, { count: 9, note: 'x', flag: true }), {
      ...defaultParameters(RECIPE),
      count: 9,
      note: 'x',
      flag: true,
    });
  });

  it('are refused with every problem at once, each with its name, what was expected and what it is', () => {
    const problems = problemsOf(() =>
      checkParameters(RECIPE, {
        count: 0,
        share: 1,
        rate: -1,
        flag: 'yes',
        kind: 'c',
        dir: ' ',
        note: 7,
        more: 1,
      }),
    );
    assert.deepEqual(problems, {
      more: 'more: unknown parameter; "r" takes count, share, rate, flag, kind, dir, note',
      count: 'count: expected a whole number of at least 1 and at most 9, got 0',
      share: 'share: expected a number above 0 and below 1, got 1',
      rate: 'rate: expected a number of at least 0, got -1',
      flag: 'flag: expected true or false, got "yes"',
      kind: 'kind: expected one of a, b, got "c"',
      dir: 'dir: expected the path of a folder, or "sample", got " "',
      note: 'note: expected text, got 7',
    });
  });

  it('keep to their ranges and kinds', () => {
    for (const [name, value, isFine] of [
      ['count', 1, true],
      ['count', 9, true],
      ['count', 10, false],
      ['count', 1.5, false],
      ['count', '3', false],
      ['count', true, false],
      ['share', 1e-9, true],
      ['share', 0, false],
      ['rate', 0, true],
      ['rate', 1e300, true],
      ['flag', 1, false],
      ['dir', 'sample', true],
      ['dir', '', false],
      ['dir', 'a\0b', false],
      ['note', '', true],
      ['note', 'a\0b', false],
    ] as const) {
      assert.equal(
        name in problemsOf(() => checkParameters(RECIPE, { [name]: value })),
        !isFine,
        `${name} ${value}`,
      );
    }
  });

  it('take no value from a prototype', () => {
    const given = Object.assign(Object.create({ count: 9 }) as Record<string, number>, { rate: 1 });
    assert.deepEqual(checkParameters(RECIPE, given), { ...defaultParameters(RECIPE), rate: 1 });
  });

  it('are read as a person writes them', () => {
    assert.equal(parseParameter(COUNT, '7'), 7);
    assert.equal(parseParameter(COUNT, ' 7 '), 7);
    assert.equal(parseParameter(RATE, '1e-4'), 1e-4);
    assert.equal(parseParameter(FLAG, 'true'), true);
    assert.equal(parseParameter(FLAG, 'false'), false);
    assert.equal(parseParameter(NOTE, '7'), '7');
    assert.equal(parseParameter(DIR, "it's here"), "it's here");
    for (const [spec, text] of [
      [COUNT, ''],
      [COUNT, 'seven'],
      [COUNT, '7.5'],
      [RATE, 'Infinity'],
      [RATE, 'NaN'],
      [RATE, '-1'],
      [FLAG, 'yes'],
      [KIND, 'A'],
    ] as const) {
      const problem = problemsOf(() => parseParameter(spec, text))[spec.name];
      assert.match(problem ?? '', new RegExp(`^${spec.name}: expected .*, got "${text}"$`));
    }
  });
});

describe('the classifier', () => {
  it('has the names and defaults of the design', () => {
    assert.equal(findRecipe('classifier'), CLASSIFIER);
    assert.equal(findRecipe('diffusion'), undefined);
    parse(recipeSpecSchema, CLASSIFIER, 'recipe');
    assert.deepEqual(defaultParameters(CLASSIFIER), {
      data_dir: 'sample',
      epochs: 10,
      batch_size: 32,
      lr: 1e-4,
      backbone: 'auto',
      output: '',
      num_workers: 0,
      pretrained: true,
      mixed_precision: true,
      gradient_clip: 1,
      warmup_epochs: 2,
      seed: 42,
      image_size: 64,
      val_split: 0.2,
      augmentation: 'basic',
      early_stopping_patience: 0,
      init_from: '',
      resume: '',
    });
  });
});
