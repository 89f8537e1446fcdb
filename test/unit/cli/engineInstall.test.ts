import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ended } from '../../../src/cli/engineInstall';
import { installTensorflow, runProgram } from '../../../src/cli/engineInstall';

describe('install-engine', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tiny-cats-engine-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const ending = (ended: Ended) => (): Promise<Ended> => Promise.resolve(ended);

  it('asks npm for the package, in the engine’s own folder', async () => {
    const dir = join(root, 'engines', 'tensorflow');
    const calls: unknown[] = [];
    await installTensorflow(dir, (command, args, { cwd }) => {
      calls.push([command.replace('.cmd', ''), args[0], args.slice(1, 3), args.at(-1), cwd]);
      return Promise.resolve({ code: 0, missing: false });
    });
    assert.deepEqual(calls, [['npm', 'install', ['--prefix', dir], '@tensorflow/tfjs-node-gpu@4.22.0', dir]]);
    assert.ok(existsSync(dir));
  });

  it('says that npm is missing', async () => {
    await assert.rejects(installTensorflow(join(root, 'x'), ending({ code: null, missing: true })), {
      message: /npm was not found/,
    });
  });

  it('leaves nothing of a download that failed', async () => {
    const dir = join(root, 'x');
    await assert.rejects(installTensorflow(dir, ending({ code: 1, missing: false })), {
      message: /exit code 1.*network/,
    });
    assert.equal(existsSync(dir), false);
  });

  it('tells a program that is missing from one that failed', async () => {
    const options = { cwd: root, quiet: true };
    assert.deepEqual(await runProgram(join(root, 'nobody'), [], options), { code: null, missing: true });
    assert.deepEqual(await runProgram(process.execPath, ['-e', 'process.exit(3)'], options), {
      code: 3,
      missing: false,
    });
  });
});
