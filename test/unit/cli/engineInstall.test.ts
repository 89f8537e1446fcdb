import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ended } from '../../../src/cli/engineInstall';
import {
  INSTALLABLE,
  installEngine,
  runProgram,
  type InstallableEngine,
} from '../../../src/cli/engineInstall';

describe('install-engine', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tiny-cats-engine-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const engine = (name: string): InstallableEngine => {
    const found = INSTALLABLE.find((each) => each.name === name);
    assert.ok(found);
    return found;
  };

  const ending = (ended: Ended) => (): Promise<Ended> => Promise.resolve(ended);

  it('asks npm for all packages of an engine', async () => {
    const asked: string[] = [];
    await installEngine(engine('webgpu'), join(root, 'engines', 'webgpu'), (_, args) => {
      asked.push(...args.filter((arg) => /^[@a-z].*@/.test(arg)));
      return Promise.resolve({ code: 0, missing: false });
    });
    assert.deepEqual(asked, [
      'webgpu@0.6.2',
      '@tensorflow/tfjs-backend-webgpu@4.22.0',
      '@tensorflow/tfjs-core@4.22.0',
    ]);
  });

  it('asks npm for the package, in the engine’s own folder', async () => {
    const dir = join(root, 'engines', 'tensorflow');
    const calls: unknown[] = [];
    await installEngine(engine('tensorflow'), dir, (command, args, { cwd }) => {
      calls.push([command.replace('.cmd', ''), args[0], args.slice(1, 3), args.at(-1), cwd]);
      return Promise.resolve({ code: 0, missing: false });
    });
    assert.deepEqual(calls, [['npm', 'install', ['--prefix', dir], '@tensorflow/tfjs-node-gpu@4.22.0', dir]]);
    assert.ok(existsSync(dir));
  });

  it('says that npm is missing', async () => {
    await assert.rejects(
      installEngine(engine('tensorflow'), join(root, 'x'), ending({ code: null, missing: true })),
      {
        message: /npm was not found/,
      },
    );
  });

  it('leaves nothing of a download that failed', async () => {
    const dir = join(root, 'x');
    await assert.rejects(installEngine(engine('tensorflow'), dir, ending({ code: 1, missing: false })), {
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
