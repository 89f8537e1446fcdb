import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { removeStaleTemporaries, writeFileAtomic } from '../../../src/volume/atomicFile';

const modulePath = resolve('src/volume/atomicFile.ts');

describe('writeFileAtomic', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tiny cats ä’s "'));
    path = join(folder, 'run.json');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('writes text, bytes and chunks, replaces what was there and leaves nothing beside it', async () => {
    await writeFileAtomic(path, 'first, and longer than what follows');
    await writeFileAtomic(path, 'Kätzchen');
    assert.equal(await readFile(path, 'utf8'), 'Kätzchen');
    await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
    assert.deepEqual([...(await readFile(path))], [1, 2, 3]);
    await writeFileAtomic(path, [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)]);
    assert.deepEqual([...(await readFile(path))], [1, 2, 3]);
    assert.deepEqual(await readdir(folder), ['run.json']);
  });

  it('keeps the old file and leaves no temporary when the content fails half way', async () => {
    await writeFileAtomic(path, 'old');
    function* content(): Generator<Uint8Array> {
      yield new Uint8Array(100_000);
      throw new Error('out of cats');
    }
    await assert.rejects(writeFileAtomic(path, content()), /out of cats/);
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder), ['run.json']);
  });

  it('says so when the folder is missing or the target is a folder', async () => {
    await assert.rejects(writeFileAtomic(join(folder, 'none', 'a'), 'x'), { code: 'ENOENT' });
    await mkdir(join(folder, 'sub', 'sub'), { recursive: true });
    await assert.rejects(writeFileAtomic(join(folder, 'sub'), 'x'));
    assert.deepEqual(await readdir(folder), ['sub']);
  });

  it('gives a reader one content or the other while writers compete', async () => {
    const contents = ['a', 'b'].map((letter) => letter.repeat(200_000));
    await writeFileAtomic(path, contents[0] ?? '');
    const state = { writing: true };
    const writers = Promise.all(
      contents.map(async (content) => {
        for (let i = 0; i < 15; i++) {
          await writeFileAtomic(path, content);
        }
      }),
    ).finally(() => (state.writing = false));
    do {
      assert.ok(contents.includes(await readFile(path, 'utf8')));
    } while (state.writing);
    await writers;
  });

  it('leaves the old file whole when the writer is killed in the middle, and the rest can be swept up', async () => {
    await writeFileAtomic(path, 'old');
    // The child sends a line from inside the content, when the first chunk is already in the temporary file.
    const program = `
      const { writeFileAtomic } = require(${JSON.stringify(modulePath)});
      function* content() {
        yield Buffer.alloc(1_000_000, 'n');
        process.send('half');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      writeFileAtomic(${JSON.stringify(path)}, content());
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--eval', program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const exited = once(child, 'exit');
    await once(child, 'message');
    const temporaries = async () => (await readdir(folder)).filter((name) => name !== 'run.json');
    const left = await temporaries();
    assert.equal(left.length, 1);
    assert.deepEqual(await removeStaleTemporaries(folder), [], 'a living writer keeps its file');

    child.kill('SIGKILL');
    await exited;
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await removeStaleTemporaries(folder), left);
    assert.deepEqual(await temporaries(), []);
  });

  it('sweeps up only its own temporaries', async () => {
    await writeFile(join(folder, '.tiny-cats-note.tmp'), '');
    await writeFile(join(folder, 'other.tmp'), '');
    assert.deepEqual(await removeStaleTemporaries(folder), []);
    assert.equal((await readdir(folder)).length, 2);
    assert.deepEqual(await removeStaleTemporaries(join(folder, 'none')), []);
  });
});
