import assert from 'node:assert/strict';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import esbuild from 'esbuild';
import { runCommandLine } from '../../../src/cli/cli';
import { contextFor, recordingTerminal } from '../cli/recordingTerminal';
import { CodeFolder } from './support';

const source = resolve(__dirname, '../../../src/modalExport/exportModalApp.ts');

describe('tiny-cats export-modal', () => {
  let code: CodeFolder;

  beforeEach(async () => {
    code = await CodeFolder.make({ 'src/train.py': 'def train(epochs: int = 1):\n    pass\n' });
    await esbuild.build({
      entryPoints: [source],
      outfile: join(code.dir, 'dist/modal-export.js'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
  });

  afterEach(async () => {
    await code.remove();
  });

  async function run(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const { terminal, stdout, stderr } = recordingTerminal();
    const context = { ...contextFor(terminal, code.dir), bundleDir: join(code.dir, 'dist') };
    const exitCode = await runCommandLine(['export-modal', ...args], context);
    return { exitCode, stdout: stdout(), stderr: stderr() };
  }

  const app = (name = 'modal_app.py'): Promise<string> => readFile(join(code.dir, name), 'utf8');

  it('writes the app with the values of its options', async () => {
    const { exitCode, stdout } = await run(
      ...['--gpu', 'L4', '--timeout', '120', '--scaledown-window', '60'],
      ...[
        '--max-retries',
        '1',
        '--backoff-coefficient',
        '1.5',
        '--initial-delay',
        '0.5',
        '--max-delay',
        '30',
      ],
    );
    assert.equal(exitCode, 0);
    assert.match(stdout, /modal_app\.py trains src\/train\.py:train .* modal run modal_app\.py/);
    const text = await app();
    for (const part of ['gpu="L4"', 'timeout=120', 'scaledown_window=60']) {
      assert.ok(text.includes(part), part);
    }
    assert.match(
      text,
      /modal\.Retries\(\s*max_retries=1,\s*backoff_coefficient=1\.5,\s*initial_delay=0\.5,\s*max_delay=30\.0,\s*\)/,
    );
  });

  it('replaces a file only when told to', async () => {
    await writeFile(join(code.dir, 'modal_app.py'), 'mine = 1\n');
    const refused = await run();
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /modal_app\.py is there already\. Give --force to replace it/);
    assert.equal(await app(), 'mine = 1\n');
    assert.equal((await run('--force')).exitCode, 0);
    assert.match(await app(), /^"""Trains src\/train\.py:train on Modal/);
    assert.equal((await run()).exitCode, 0, 'the same again is no replacement');
  });

  it('says as JSON what it took along', async () => {
    const { stdout } = await run('--json', '--output', 'app.py');
    assert.deepEqual(JSON.parse(stdout), {
      file: join(code.dir, 'app.py'),
      entrypoint: 'src/train.py:train',
      files: ['src/train.py'],
      requirements: [],
      notes: [],
    });
  });

  it('writes nothing where something is wrong', async () => {
    for (const [args, message] of [
      [['--scaledown-window', '1300'], /scaledown window has to be 2 to 1200 s, not "1300 s"/],
      [['--gpu', 'GTX'], /--gpu: expected one of none, T4/],
      [['--entrypoint', 'src/other.py:train'], /no Python file "src\/other\.py"/],
      [['--output', 'src/train.py', '--force'], /is the entrypoint itself/],
      [['--output', 'no/where/app.py'], /cannot be written .*another --output/],
    ] as const) {
      const { exitCode, stderr } = await run(...args);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, message);
    }
    await assert.rejects(access(join(code.dir, 'modal_app.py')));
    assert.match(await app('src/train.py'), /^def train/);
  });
});
