import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import type { ParameterValues } from '../../src/protocol/parameters';
import type { Program } from '../../src/protocol/program';
import { Following } from './support/following';
import { Place } from './support/place';
import { untilCold, untilTrue } from './support/waiting';

const MODEL = `export interface Model { slope: number }
export const make = (): Model => ({ slope: 0 });
export const name: string = 'first';
`;
const TRAIN = `import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import * as tinycats from 'tinycats';
import { make, name, type Model } from './model.js';

let entered = 0;

export async function enter(): Promise<{ count: number }> {
  entered += 1;
  console.warn('entering');
  return { count: entered };
}

/** Fits nothing. */
export async function train(
  { epochs = 2, lr = 0.5, label = 'cat', fail = false }: { epochs?: number; lr?: number; label?: string; fail?: boolean }, // all of it
  run: { entered: { count: number }; signal: AbortSignal; runDir: string },
): Promise<unknown> {
  const model: Model = make();
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    model.slope += lr;
    run.entered.count += 1;
    tinycats.log({ epoch, epochs, train_loss: 1 / epoch, slope: model.slope });
    await new Promise((resolve) => setTimeout(resolve, 1));
    tinycats.log({ epoch, val_acc: epoch / 10 });
  }
  if (fail) throw new Error('the cats are out');
  writeFileSync(join(run.runDir, 'model.json'), JSON.stringify(model));
  tinycats.checkpoint(join(run.runDir, 'model.json'));
  return { slope: model.slope, label, name, count: run.entered.count };
}
`;

describe('the user’s own TypeScript', () => {
  let place: Place;
  let client: ContainerClient;
  let code: string;
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
    code = join(place.root, 'my code');
    await mkdir(join(code, 'src'), { recursive: true });
    await writeFile(join(code, 'src', 'model.ts'), MODEL);
    await writeFile(join(code, 'src', 'train.ts'), TRAIN);
  });
  afterEach(() => place.dispose());

  async function train(params: ParameterValues = {}): Promise<Following> {
    const program: Program = { kind: 'typescript', folder: code, entrypoint: 'src/train.ts' };
    const options = place.options({ hint: { recipe: 'train', params, program } });
    return new Following(client, await client.train('train', params, options));
  }

  async function edit(file: string, from: string, to: string): Promise<void> {
    const path = join(code, 'src', file);
    await writeFile(path, (await readFile(path, 'utf8')).replace(from, to));
  }

  it('trains, with curves, checkpoints and what it returned', async () => {
    const run = await train({ epochs: 3 });
    const { status, error, returned, val_acc } = await run.result();
    assert.equal(error, undefined);
    assert.equal(status, 'completed');
    assert.deepEqual(returned, { slope: 1.5, label: 'cat', name: 'first', count: 4 });
    assert.equal(val_acc, 0.3);
    assert.deepEqual(
      run.all('epoch').map((row) => [row.epoch, row.train_loss, row.val_acc]),
      [1, 2, 3].flatMap((epoch) => [
        [epoch, 1 / epoch, undefined],
        [epoch, 1 / epoch, epoch / 10],
      ]),
    );
    assert.deepEqual(
      run.all('metrics').map(({ epoch, values }) => [epoch, values]),
      [
        [1, { slope: 0.5 }],
        [2, { slope: 1 }],
        [3, { slope: 1.5 }],
      ],
    );
    assert.deepEqual(
      run.all('checkpoint').map(({ kind, file }) => [kind, file]),
      [['file', 'model.json']],
    );
    assert.deepEqual(
      run
        .all('files')
        .at(-1)
        ?.files.map(({ path }) => path),
      ['src/model.ts', 'src/train.ts'],
    );
  });

  it('runs what was edited, in a module that it imports as well, and keeps what enter made', async () => {
    await (await train()).result();
    const { trainerPid } = await client.request('status', {});
    for (let turn = 1; turn <= 5; turn += 1) {
      await edit(
        'model.ts',
        /name: string = '\w+'/.exec(await readFile(join(code, 'src', 'model.ts'), 'utf8'))?.[0] ?? '',
        `name: string = 'edit${turn}'`,
      );
      const { returned, start } = await (await train()).result();
      assert.equal(start, 'warm');
      assert.deepEqual(returned, { slope: 1, label: 'cat', name: `edit${turn}`, count: 3 + 2 * turn });
    }
    await edit('train.ts', 'entered += 1', 'entered += 2');
    const run = await train();
    await run.result();
    assert.match(
      run.all('restart_needed')[0]?.reason ?? '',
      /enter of src\/train\.ts, or what it uses, has changed/,
    );
    assert.match((await client.request('status', {})).restartNeeded ?? '', /enter of/);
    assert.equal((await client.request('status', {})).trainerPid, trainerPid);
  });

  it('asks for a restart where something that enter uses has changed, and for nothing else', async () => {
    const text = `
      import { load } from './data.js';
      import { width } from './model.js';
      const half = (count: number): number => {
        return count / 2;
      };
      export async function enter() {
        return half(load());
      }
      export function train(_: object, { entered }: { entered: number }) {
        return { entered, width };
      }`;
    const unindented = text.replaceAll('\n      ', '\n');
    await writeFile(join(code, 'src', 'train.ts'), unindented);
    await writeFile(
      join(code, 'src', 'data.ts'),
      `import { count } from './count.js';\nexport const load = () => count;`,
    );
    await writeFile(join(code, 'src', 'count.ts'), 'export const count = 8;');
    await writeFile(join(code, 'src', 'model.ts'), 'export const width = 1;');
    const reasonAfter = async (file: string, from: string, to: string): Promise<string | undefined> => {
      await edit(file, from, to);
      const run = await train();
      assert.equal((await run.result()).status, 'completed');
      await edit(file, to, from);
      return run.all('restart_needed')[0]?.reason;
    };
    const { error, returned } = await (await train()).result();
    assert.equal(error, undefined);
    assert.deepEqual(returned, { entered: 4, width: 1 });
    assert.equal(await reasonAfter('model.ts', 'width = 1', 'width = 2'), undefined);
    assert.match(
      (await reasonAfter('count.ts', 'count = 8', 'count = 9')) ?? '',
      /or what it uses, has changed/,
    );
    assert.match(
      (await reasonAfter('train.ts', 'count / 2', 'count / 4')) ?? '',
      /or what it uses, has changed/,
    );
    assert.equal(await reasonAfter('train.ts', 'return { entered, width }', 'return { entered }'), undefined);
  });

  it('fails with its line, for an exception, broken code and wrong values, and stays warm', async () => {
    const thrown = (await (await train({ fail: true })).result()).error;
    const line = TRAIN.split('\n').findIndex((text) => text.includes('the cats are out')) + 1;
    assert.deepEqual(thrown, {
      code: 'user_code',
      message: 'Error: the cats are out',
      location: { file: join(code, 'src', 'train.ts'), line },
    });
    const { trainerPid } = await client.request('status', {});
    assert.match(
      (await (await train({ epochs: 'many' })).result()).error?.message ?? '',
      /epochs: expected a whole number/,
    );
    await edit('model.ts', 'export const make', 'export const = make');
    const broken = (await (await train()).result()).error;
    assert.deepEqual(
      [broken?.code, broken?.location],
      ['syntax', { file: join(code, 'src', 'model.ts'), line: 2 }],
    );
    await edit('model.ts', 'export const = make', 'export const make');
    assert.equal((await (await train()).result()).status, 'completed');
    assert.equal((await client.request('status', {})).trainerPid, trainerPid);
  });

  it('has what it writes where it is told to as its checkpoints, without a word of it', async () => {
    const text = `
      import { mkdirSync, writeFileSync } from 'node:fs';
      import { log } from 'tinycats';
      export async function train({ outDir = 'out', epochs = 3 }) {
        mkdirSync(outDir, { recursive: true });
        for (let epoch = 1; epoch <= epochs; epoch += 1) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          writeFileSync(outDir + '/epoch-' + epoch + '.bin', 'weights');
          log({ epoch, epochs, val_acc: epoch / 10 });
        }
        writeFileSync(outDir + '/notes.txt', 'no model');
        writeFileSync(process.env.TINY_CATS_RUN_DIR + '/best.bin', 'weights');
      }`;
    await writeFile(join(code, 'src', 'train.ts'), text);
    const run = await train();
    const { status, output } = await run.result();
    assert.equal(status, 'completed');
    const found = run.all('checkpoint').map(({ file, bytes, epoch }) => [file, bytes, epoch]);
    assert.deepEqual(found.sort(), [
      ['best.bin', 7, 3],
      ['files/out/epoch-1.bin', 7, 1],
      ['files/out/epoch-2.bin', 7, 2],
      ['files/out/epoch-3.bin', 7, 3],
    ]);
    assert.equal(output, join(await place.runDir(run.runId), 'best.bin'));
    assert.equal(
      await readFile(join(await place.runDir(run.runId), 'files/out/epoch-2.bin'), 'utf8'),
      'weights',
    );
  });

  it('that prints without end fills no log, and its last lines and errors are there', async () => {
    const text = `
      export function train() {
        for (let number = 0; number < 40_000; number += 1) console.log('line ' + number);
        console.error('a cat is out');
        console.log('the end');
      }`;
    await writeFile(join(code, 'src', 'train.ts'), text);
    const run = await train();
    assert.equal((await run.result()).status, 'completed');
    const texts = (level: string): string[] =>
      run.all('log').flatMap((line) => (line.level === level ? [line.text] : []));
    const lines = texts('info');
    assert.ok(lines.includes('line 19999') && lines.length < 30_000, `${lines.length} lines`);
    const told = lines.filter((line) => line.startsWith('line ')).length;
    const missing = lines.flatMap((line) => /^… (\d+) lines were left out\.$/.exec(line)?.[1] ?? []);
    assert.equal(told + missing.map(Number).reduce((sum, count) => sum + count, 0), 40_000);
    assert.equal(lines.at(-1), 'the end');
    assert.equal(texts('warning').length, 1);
    assert.deepEqual(texts('error'), ['a cat is out']);
  });

  it('is stopped where it logs', async () => {
    const run = await train({ epochs: 1_000_000 });
    await run.first('epoch', ({ epoch }) => epoch > 2);
    await client.stop(run.runId, false);
    assert.equal((await run.result()).status, 'stopped');
    assert.equal((await (await train()).result()).start, 'warm');
  });

  it('imports as modules of a package do, also where the trainer comes from the code cache', async function () {
    this.timeout(60_000);
    const files = {
      'package.json': '{ "type": "module", "imports": { "#lib/*": "./src/lib/*.ts" } }',
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } } // mine',
      'src/lib/kind.ts': "export enum Kind { Cat = 'cat' }",
      'src/late.ts': "export default 'late';",
      'src/facts.json': '{ "legs": 4 }',
      'node_modules/modern/package.json': '{ "name": "modern", "type": "module", "exports": "./index.js" }',
      'node_modules/modern/index.js': "export const age = 3; export default () => 'modern';",
      'src/train.ts': `import modern, { age } from 'modern';
import { Kind } from '#lib/kind';
import { name } from '@/model';
import facts from './facts.json' with { type: 'json' };

export default {
  parameters: { epochs: 3 /* how many */ },
  async enter() { return 'entered'; },
  async train({ epochs }: { epochs: number }, run: { entered: string }) {
    const { default: late } = await import('./late.ts');
    process.stdout.write('\\r1 %\\r2 %');
    return [modern(), age, Kind.Cat, name, facts.legs, late, epochs, run.entered, import.meta.url.slice(-8)];
  },
};
`,
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(code, name, '..'), { recursive: true });
      await writeFile(join(code, name), text);
    }
    for (const start of ['first', 'from the cache']) {
      const run = await train();
      const { error, returned } = await run.result();
      assert.equal(error, undefined, start);
      assert.deepEqual(returned, ['modern', 3, 'cat', 'first', 4, 'late', 3, 'entered', 'train.ts']);
      assert.ok(run.all('log').some(({ text }) => text === '2 %'));
      const caches = join(place.home, 'code-cache');
      await untilTrue(async () =>
        (await readdir(caches).catch(() => [])).some((name) => name.startsWith('trainer-v')),
      );
      await client.cool();
      await untilCold(client);
    }
  });

  it('may use the container’s engine by the name of tfjs', async () => {
    await writeFile(
      join(code, 'src', 'train.ts'),
      "import * as tf from '@tensorflow/tfjs-core';\nexport const train = () => tf.tidy(() => tf.add(tf.scalar(1), 2).dataSync()[0]);\n",
    );
    const { error, returned } = await (await train()).result();
    assert.equal(error, undefined);
    assert.equal(returned, 3);
  });
});
