import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EnterOptions } from '../../src/container/trainerProtocol';
import { defaultParameters } from '../../src/protocol/parameters';
import { RECIPES_PROGRAM } from '../../src/protocol/program';
import { CLASSIFIER } from '../../src/protocol/recipes';

const TRAINER = resolve(__dirname, '..', '..', 'dist', 'trainer.js');

/** Tells of every script that is given a cache whether V8 takes it. */
const PRELOAD = `
const { appendFileSync } = require('node:fs');
const { basename } = require('node:path');
const vm = require('node:vm');
vm.Script = class extends vm.Script {
  constructor(code, options) {
    super(code, options);
    if (options?.cachedData !== undefined) {
      const how = this.cachedDataRejected ? 'rejected' : 'taken';
      appendFileSync(process.env.REPORT, basename(options.filename) + ' ' + how + '\\n');
    }
  }
};
`;

function enterOptions(home: string): EnterOptions {
  const params = { ...defaultParameters(CLASSIFIER), num_workers: 2 };
  return {
    type: 'enter',
    program: RECIPES_PROGRAM,
    engine: 'wasm',
    wasmDir: join(dirname(TRAINER), 'wasm'),
    enginesDir: join(home, 'engines'),
    dataDir: join(home, 'data'),
    hint: { recipe: CLASSIFIER.name, params },
    spawnedAt: Date.now(),
  };
}

function isReady(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';
}

describe('the code cache of a trainer', () => {
  let home = '';
  let trainer: ChildProcess | undefined;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'tiny-cats-'));
  });
  afterEach(async () => {
    await end();
    await rm(home, { recursive: true, force: true });
  });

  const start = (): void => {
    trainer = fork(TRAINER, {
      env: { ...process.env, TINY_CATS_HOME: home },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  };
  const end = async (): Promise<void> => {
    if (trainer?.exitCode === null && trainer.signalCode === null) {
      const ended = once(trainer, 'exit');
      trainer.kill('SIGKILL');
      await ended;
    }
    trainer = undefined;
  };
  /** The cache's only file, once it is there and not `other`. */
  const cached = async (other?: Buffer): Promise<string> => {
    const folder = join(home, 'code-cache');
    for (;;) {
      assert.equal(trainer?.exitCode, null, 'the trainer runs');
      const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.bin'));
      const [name] = names;
      if (name !== undefined) {
        assert.deepEqual(names, [name]);
        const path = join(folder, name);
        const content = await readFile(path).catch(() => undefined);
        if (content !== undefined && (other === undefined || !content.equals(other))) {
          return path;
        }
      }
      await delay(50);
    }
  };

  it('is kept for its user alone, and made again where it is broken or others could have written it', async () => {
    start();
    const path = await cached();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(home, 'code-cache'))).mode & 0o777, 0o700);
    await end();

    const broken = Buffer.from('not what V8 has written');
    await writeFile(path, broken);
    start();
    await cached(broken);
    await end();

    await chmod(path, 0o666);
    start();
    while (((await stat(await cached())).mode & 0o777) !== 0o600) {
      await delay(50);
    }
  });

  it('is taken by the next start, by its threads too, whatever the engine has set in V8 meanwhile', async () => {
    const report = join(home, 'report');
    const preload = join(home, 'preload.cjs');
    await writeFile(preload, PRELOAD);
    const warm = async (): Promise<void> => {
      await writeFile(report, '');
      trainer = fork(TRAINER, {
        env: { ...process.env, TINY_CATS_HOME: home, REPORT: report },
        execArgv: ['--require', preload],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      trainer.send(enterOptions(home));
      for await (const [message] of on(trainer, 'message')) {
        if (isReady(message)) break;
      }
    };
    await warm();
    const folder = join(home, 'code-cache');
    while ((await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.bin')).length < 2) {
      await delay(50);
    }
    await end();

    await warm();
    const taken = (await readFile(report, 'utf8')).trim().split('\n').sort();
    assert.deepEqual(taken, ['trainer-worker.js taken', 'trainer-worker.js taken', 'trainer.js taken']);
  });

  it('is gone without where it cannot be kept', async () => {
    await writeFile(join(home, 'code-cache'), 'in the way');
    start();
    const child = trainer;
    assert.ok(child);
    const failed = once(child, 'message');
    child.send({ type: 'nonsense' });
    await Promise.race([once(child, 'exit'), failed]);
    assert.equal(child.exitCode, 1, 'it ran, and refused what no supervisor says');
  });
});
