import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { COMMANDS } from '../../../src/cli/commands';
import type { Command, Invocation } from '../../../src/cli/command';
import { readInvocation } from '../../../src/cli/invocation';

const cwd = resolve('/home/ada');

function command(name: string): Command {
  const found = COMMANDS.find((candidate) => candidate.name === name);
  assert.ok(found, name);
  return found;
}

function read(line: readonly string[], env: NodeJS.ProcessEnv = {}): Invocation {
  const [name = '', ...args] = line;
  return readInvocation(command(name), args, { env, cwd });
}

describe('reading a command line', () => {
  it('makes the data folder absolute and leaves "sample" alone', () => {
    assert.equal(read(['train', '--data-dir', 'my cats']).given.data_dir, resolve(cwd, 'my cats'));
    assert.equal(read(['train', '--data-dir', './sample']).given.data_dir, resolve(cwd, 'sample'));
    assert.equal(read(['train', '--data-dir', 'sample']).given.data_dir, 'sample');
    assert.equal(read(['train']).given.data_dir, undefined);
  });

  it('makes paths of checkpoints and runs absolute, and leaves words and ids alone', () => {
    const { given } = read(['train', '--pretrained', 'w.pt', '--init-from', 'a/best.safetensors']);
    assert.equal(given.pretrained, resolve(cwd, 'w.pt'));
    assert.equal(given.init_from, resolve(cwd, 'a/best.safetensors'));
    assert.equal(read(['train', '--resume', 'runs/mine']).given.resume, resolve(cwd, 'runs/mine'));
    const id = '20250102-030405-abcdef';
    assert.equal(read(['train', '--resume', id, '--no-pretrained']).given.resume, id);
    assert.equal(read(['train', '--no-pretrained']).given.pretrained, false);
  });

  it('takes volumes from option, environment, default, in this order', () => {
    const env = { TINY_CATS_OUTPUTS: 'from env', TINY_CATS_DATA: '' };
    const { settings } = read(['status'], env);
    assert.equal(settings.outputsDir, resolve(cwd, 'from env'));
    assert.equal(settings.dataDir, resolve(cwd, '.tiny-cats/data'));
    assert.equal(read(['status', '--outputs-dir', 'x'], env).settings.outputsDir, resolve(cwd, 'x'));
    assert.equal(read(['status']).settings.outputsDir, resolve(cwd, 'outputs'));
  });

  it('reads the settings of the container that are given, and those only', () => {
    assert.deepEqual(read(['warm']).settings.container, {});
    const { settings } = read([
      'warm',
      '--scaledown-window',
      '20',
      '--keep-dates=0',
      '--max-retries=0',
      '--timeout',
      '90',
      '--stop-stalled',
      '--engine',
      'wasm',
      '--port',
      '8080',
    ]);
    assert.deepEqual(settings.container, {
      scaledownWindowMs: 20_000,
      keepDates: 0,
      retries: { maxRetries: 0 },
      runTimeoutMs: 90_000,
      stopStalled: true,
    });
    assert.equal(settings.engine, 'wasm');
    assert.equal(settings.port, 8080);
  });

  it('takes the id of a run where the command has one', () => {
    assert.equal(read(['rerun', 'some-run', '--epochs', '1']).positional, 'some-run');
    assert.equal(read(['rerun']).positional, undefined);
  });

  const refused: [line: string[], message: RegExp][] = [
    [['train', 'cats'], /"train" does not know what to do with "cats"/],
    [['rerun', 'one', 'two'], /"two"/],
    [['inspect'], /"inspect" needs a CHECKPOINT\|RUN_ID/],
    [['train', '--recipe', 'dreams'], /--recipe: there is no recipe "dreams"/],
    [
      ['train', '--engine', 'abacus'],
      /engine: expected one of auto, torch, tfjs, tensorflow, webgpu, wasm, cpu/,
    ],
    [['status', '--port', '70000'], /port: expected a whole number/],
    [['warm', '--scaledown-window', '0'], /scaledown_window: expected a whole number of at least 1/],
    [['runs', '--outputs-dir', ' '], /--outputs-dir needs the path of a folder/],
    [['runs', '--epochs', '3'], /Unknown option --epochs/],
  ];
  for (const [line, message] of refused) {
    it(`refuses ${line.join(' ')}`, () => {
      assert.throws(() => read(line), { message });
    });
  }
});
