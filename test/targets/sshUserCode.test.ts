import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import type { ContainerOptions } from '../../src/targets/target';
import { sentName } from '../../src/transfer/sendFolder';
import { Following } from '../container/support/following';
import { TargetBench, newRoot } from './support/bench';
import { box, farFolder } from './support/box';
import { Sshd, sshdObstacle } from './support/sshd';

const TRAIN = `
import os
from helper import SCALE

def train(epochs: int = 2):
    with open("notes.txt", "a") as notes:
        notes.write("trained\\n")
    for epoch in range(1, epochs + 1):
        print(f"Epoch {epoch}/{epochs} | Train loss: {SCALE / epoch:.2f} acc: 0.50 | Val loss: 0.39 acc: 0.{epoch}")
    return {"scale": SCALE, "folder": os.getcwd(), "files": sorted(os.listdir("."))}
`;

describe('the user’s own Python on an SSH box', function () {
  this.timeout(120_000);
  const close: (() => unknown)[] = [];
  let bench: TargetBench;
  let code: string;
  before(async function () {
    const obstacle = sshdObstacle() ?? pythonObstacle();
    if (obstacle !== undefined) {
      console.log(`      not tested here: ${obstacle}`);
      this.skip();
    }
    const root = await newRoot();
    const sshd = await Sshd.start();
    close.push(() => sshd.stop());
    const sshProgram = await sshd.client();
    bench = await TargetBench.open({
      root,
      config: box(root),
      deps: () => ({ sshProgram }),
      startPhases: [],
    });
    close.unshift(() => bench.dispose());
    code = join(root, 'my code "ü"');
    await mkdir(join(code, 'src'), { recursive: true });
    await mkdir(join(code, 'secret'));
    await writeFile(join(code, 'src', 'train.py'), TRAIN);
    await writeFile(join(code, 'src', 'helper.py'), 'SCALE = 2\n');
    await writeFile(join(code, 'old.txt'), 'old');
    await writeFile(join(code, 'secret', 'key'), 'secret');
    await writeFile(join(code, '.tinycatsignore'), 'secret/\n');
  });
  after(async () => {
    for (const one of close) {
      await one();
    }
  });

  function options(): ContainerOptions {
    // Of this machine: it means nothing on the other one.
    const interpreter = join(code, '.venv', 'bin', 'python');
    return {
      ...bench.options(),
      hint: {
        recipe: 'train',
        params: {},
        program: { kind: 'python', interpreter, folder: code, entrypoint: 'src/train.py:train' },
      },
    };
  }

  async function train(client: ContainerClient): Promise<Following> {
    return new Following(client, await client.train('train', {}, options()));
  }

  it('is sent there, edited and sent again; the container stays warm, and what the code wrote stays', async () => {
    const client = bench.client();
    const cold = await train(client);
    const first = await cold.result();
    assert.equal(first.status, 'completed', first.error?.message);
    assert.equal(first.start, 'cold');
    assert.equal(cold.all('epoch').length, 2);
    const returned = JSON.stringify(first.returned);
    assert.ok(returned.includes('"scale":2'), returned);
    assert.ok(returned.includes(JSON.stringify(farFolder(bench.root)).slice(0, -1)), returned);
    assert.ok(!returned.includes('secret'), 'what is ignored stays here');
    assert.ok(cold.all('phase').some(({ phase }) => phase.name === 'your code sent'));
    const warnings = cold.all('log').filter(({ level }) => level !== 'info');
    assert.deepEqual(
      warnings.map(({ text }) => text),
      [],
    );

    await writeFile(join(code, 'src', 'helper.py'), 'SCALE = 7\n');
    await rm(join(code, 'old.txt'));
    const sent: number[] = [];
    client.on('sending', (progress) => {
      if (progress !== undefined) {
        sent.push(progress.files);
      }
    });
    const warm = await train(client);
    const second = await warm.result();
    assert.equal(second.status, 'completed', second.error?.message);
    assert.equal(second.start, 'warm');
    assert.ok(JSON.stringify(second.returned).includes('"scale":7'));
    assert.deepEqual([...new Set(sent)], [1], 'only what was edited is sent');
    const far = await sentFolder(bench.root);
    assert.equal(await readFile(join(far, 'notes.txt'), 'utf8'), 'trained\ntrained\n');
    assert.ok(!(await readdir(far)).includes('old.txt'));
    assert.ok(!(await readdir(code)).includes('notes.txt'));
  });

  it('with a mistake in it fails with its line, and is mended at once', async () => {
    const client = bench.client();
    await writeFile(join(code, 'src', 'helper.py'), 'SCALE = 7\nraise ValueError("the cats are out")\n');
    const broken = await (await train(client)).result();
    assert.equal(broken.status, 'failed');
    assert.match(broken.error?.message ?? '', /the cats are out/);
    const { file, line } = broken.error?.location ?? { file: '', line: 0 };
    assert.ok(
      file.endsWith(`/${sentName(code)}/src/helper.py`),
      `${file}: by that it is found in the workspace`,
    );
    assert.equal(line, 2);
    await writeFile(join(code, 'src', 'helper.py'), 'SCALE = 8\n');
    const mended = await (await train(client)).result();
    assert.equal(mended.status, 'completed', mended.error?.message);
    assert.equal(mended.start, 'warm');
  });

  it('is there for a container that is only warmed', async () => {
    const client = bench.client();
    await client.cool();
    await client.start(options());
    const run = await train(client);
    const result = await run.result();
    assert.equal(result.status, 'completed', result.error?.message);
  });
});

async function sentFolder(root: string): Promise<string> {
  const sent = join(farFolder(root), 'data', 'sent');
  const name = (await readdir(sent)).find((each) => each.startsWith('my-code'));
  assert.ok(name !== undefined);
  return join(sent, name);
}

function pythonObstacle(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 9)'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'there is no python3 of version 3.9 or newer';
  }
}
