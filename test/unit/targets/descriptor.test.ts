import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Descriptor } from '../../../src/targets/local/descriptor';
import { publishDescriptor, readDescriptor, removeDescriptor } from '../../../src/targets/local/descriptor';
import { isAlive, processStartTime } from '../../../src/targets/local/processIdentity';

const DEAD = { pid: 2 ** 22 - 1, pidStartTime: 1 };

function descriptor(containerId: string, changes: Partial<Descriptor> = {}): Descriptor {
  return {
    containerId,
    pid: process.pid,
    pidStartTime: processStartTime(process.pid),
    port: 1,
    token: 't',
    version: '1',
    outputsDir: '/o',
    ...changes,
  };
}

describe('descriptor of a container', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tiny cats ä "dir" '));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is published once, readable by its user alone, and leaves nothing beside it', async () => {
    assert.equal(await readDescriptor(dir), undefined);
    assert.equal(await publishDescriptor(dir, descriptor('a')), undefined);
    assert.deepEqual(await readDescriptor(dir), descriptor('a'));
    assert.equal((await publishDescriptor(dir, descriptor('b')))?.containerId, 'a');
    assert.deepEqual(await readdir(dir), ['container.json']);
    if (process.platform !== 'win32') {
      assert.equal((await stat(dir)).mode & 0o777, 0o700);
      assert.equal((await stat(join(dir, 'container.json'))).mode & 0o777, 0o600);
    }
  });

  it('is not prepared where a container lives, and not published where that fails', async () => {
    await assert.rejects(
      publishDescriptor(dir, () => Promise.reject(new Error('no port'))),
      /no port/,
    );
    assert.deepEqual(await readdir(dir), []);
    await publishDescriptor(dir, descriptor('a'));
    const owner = await publishDescriptor(dir, () => assert.fail('it prepared'));
    assert.equal(owner?.containerId, 'a');
  });

  it('of a dead container is replaced', async () => {
    await publishDescriptor(dir, descriptor('dead', DEAD));
    assert.equal(await publishDescriptor(dir, descriptor('b')), undefined);
    assert.equal((await readDescriptor(dir))?.containerId, 'b');
  });

  it('is removed by its own id alone', async () => {
    await publishDescriptor(dir, descriptor('a'));
    await removeDescriptor(dir, 'b');
    assert.equal((await readDescriptor(dir))?.containerId, 'a');
    await removeDescriptor(dir, 'a');
    await removeDescriptor(dir, 'a');
    assert.deepEqual(await readdir(dir), []);
    await removeDescriptor(join(dir, 'none'), 'a');
  });

  it('is refused if others could have written it, or if it cannot be understood', async function () {
    const path = join(dir, 'container.json');
    await writeFile(path, '{"containerId":', { mode: 0o600 });
    await assert.rejects(readDescriptor(dir), /container\.json cannot be understood \(.*\): remove it/);
    await writeFile(path, '{"containerId":"x"}');
    await assert.rejects(readDescriptor(dir), /cannot be understood \(descriptor, at "pid".*: remove it/);
    if (process.platform === 'win32') {
      this.skip();
    }
    await chmod(path, 0o620);
    await assert.rejects(readDescriptor(dir), /could be read or written by another user/);
  });

  it('outlives a process that died while it held the lock', async () => {
    await writeFile(join(dir, 'container.lock'), JSON.stringify(DEAD));
    assert.equal(await publishDescriptor(dir, descriptor('a')), undefined);
    await writeFile(join(dir, 'container.lock'), '');
    await removeDescriptor(dir, 'a');
    assert.deepEqual(await readdir(dir), []);
  });

  it('has one owner of many processes that publish, settle and leave at the same time', async () => {
    // Each takes the folder as often as it can; while it has it, nobody else may have it.
    const module = resolve('src/targets/local/descriptor.ts');
    const identity = resolve('src/targets/local/processIdentity.ts');
    const program = `
      const { publishDescriptor, removeDescriptor } = require(${JSON.stringify(module)});
      const { processStartTime } = require(${JSON.stringify(identity)});
      const { openSync, closeSync, rmSync } = require('node:fs');
      const dir = ${JSON.stringify(dir)};
      const flag = dir + '/owned';
      async function main() {
        let times = 0;
        for (let round = 0; round < 30; round += 1) {
          const id = process.pid + '-' + round;
          const dead = { pid: ${DEAD.pid}, pidStartTime: 1 };
          const own = { pid: process.pid, pidStartTime: processStartTime(process.pid) };
          const make = (facts) => ({ containerId: id, ...facts, port: 1, token: 't', version: '1', outputsDir: '/o' });
          const owner = await publishDescriptor(dir, make(own));
          if (owner === undefined) {
            closeSync(openSync(flag, 'wx'));
            times += 1;
            await new Promise((resolve) => setTimeout(resolve, 1));
            rmSync(flag);
            await removeDescriptor(dir, id);
            await publishDescriptor(dir, make(dead));
          } else {
            await removeDescriptor(dir, 'somebody else');
          }
        }
        console.log(times);
      }
      main().catch((error) => { console.error(error); process.exit(1); });
    `;
    const said = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, ['--import', 'tsx', '--eval', program], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const chunks: string[] = [];
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
        const ended: unknown[] = await once(child, 'close');
        assert.equal(ended[0], 0);
        return Number(chunks.join(''));
      }),
    );
    assert.ok(said.reduce((sum, times) => sum + times, 0) > 10, said.join());
  });
});

describe('identity of a process', () => {
  it('tells the living from the dead, and from another that has the same pid now', async () => {
    assert.equal(isAlive(process.pid, processStartTime(process.pid)), true);
    assert.equal(isAlive(process.pid, null), true);
    const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const { pid } = child;
    assert.ok(pid !== undefined);
    const startTime = processStartTime(pid);
    assert.equal(isAlive(pid, startTime), true);
    if (startTime !== null) {
      assert.equal(isAlive(pid, startTime + 1), false);
    }
    child.stdin.end();
    await once(child, 'exit');
    assert.equal(isAlive(pid, startTime), false);
    assert.equal(isAlive(pid, null), false);
  });
});
