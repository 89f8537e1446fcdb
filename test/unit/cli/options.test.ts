import assert from 'node:assert/strict';
import type { Option } from '../../../src/cli/options';
import { parseOptions, recipeOptions } from '../../../src/cli/options';
import { defaultParameters } from '../../../src/protocol/parameters';
import { CLASSIFIER } from '../../../src/protocol/recipes';

const options: Option[] = recipeOptions(CLASSIFIER);
const given = (...args: string[]): unknown => parseOptions(options, args).given;

describe('options of the command line', () => {
  it('has every parameter of the recipe in kebab case', () => {
    for (const spec of CLASSIFIER.parameters) {
      const name = `--${spec.name.replaceAll('_', '-')}`;
      const args =
        spec.type === 'boolean' ? [name] : [name, String(defaultParameters(CLASSIFIER)[spec.name])];
      assert.deepEqual(given(...args), { [spec.name]: spec.type === 'boolean' ? true : spec.default });
    }
  });

  it('reads values of each type, in both spellings', () => {
    assert.deepEqual(given('--epochs', '3', '--lr=1e-3', '--no-pretrained', '--data-dir', 'it\'s "my" 猫'), {
      epochs: 3,
      lr: 1e-3,
      pretrained: false,
      data_dir: 'it\'s "my" 猫',
    });
  });

  it('lets the last of several count', () => {
    assert.deepEqual(given('--no-pretrained', '--epochs', '1', '--pretrained', '--epochs', '2'), {
      epochs: 2,
      pretrained: true,
    });
  });

  it('takes weights with and without a file', () => {
    const cases: [args: string[], expected: unknown][] = [
      [['--pretrained'], { pretrained: true }],
      [['--pretrained', '--epochs', '2'], { pretrained: true, epochs: 2 }],
      [['--pretrained', 'my model.pt'], { pretrained: 'my model.pt' }],
      [['--pretrained=a.safetensors'], { pretrained: 'a.safetensors' }],
      [['--pretrained=false'], { pretrained: false }],
      [['--no-pretrained'], { pretrained: false }],
    ];
    for (const [args, expected] of cases) {
      assert.deepEqual(given(...args), expected, args.join(' '));
    }
    assert.deepEqual(parseOptions(options, ['--', '--pretrained']).positionals, ['--pretrained']);
  });

  it('separates options from what follows "--"', () => {
    assert.deepEqual(parseOptions(options, ['run', '--', '--epochs']).positionals, ['run', '--epochs']);
  });

  const refused: [args: string[], message: RegExp][] = [
    [['--epochs', '0'], /^epochs: expected a whole number of at least 1 .*, got "0"/],
    [['--lr', '-1'], /^lr: expected a number above 0 .*, got "-1"/],
    [['--batch-size', 'many'], /^batch_size: expected a whole number/],
    [['--backbone', 'vgg'], /^backbone: expected one of auto, tiny_cnn/],
    [['--epochs'], /^--epochs needs a value/],
    [['--data-dir', '--epochs', '3'], /^--data-dir needs a value/],
    [['--batch_size', '3'], /^Unknown option --batch_size\. Did you mean --batch-size\?/],
    [['--epoch', '3'], /Did you mean --epochs\?/],
    [['--frobnicate'], /^Unknown option --frobnicate\.$/],
    [['-x'], /^Unknown option -x\.$/],
    [['--__proto__=1'], /^Unknown option --__proto__\.$/],
    [['--no-epochs'], /^Unknown option --no-epochs\.$/],
    [['--no-pretrained=yes'], /^--no-pretrained takes no value/],
    [['--pretrained=yes'], /^pretrained: expected true, false or the path of a \.safetensors/],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args.join(' ')}`, () => {
      assert.throws(() => given(...args), { message });
    });
  }
});
