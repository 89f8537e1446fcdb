import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TYPESCRIPT_SCRIPT } from '../../../src/host/code/scriptTexts';
import { describeTypeScript } from '../../../src/typescript/describe';

describe('what a TypeScript file takes', () => {
  const folder = mkdtempSync(join(tmpdir(), "tiny cats 'code' "));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const read = (source: string, entrypoint = 'train.ts') => {
    writeFileSync(join(folder, 'train.ts'), source);
    return describeTypeScript(folder, entrypoint);
  };
  const parametersOf = (source: string) => {
    const described = read(source);
    assert.ok(described.ok, JSON.stringify(described));
    return described.recipe.parameters;
  };

  it('is what it exports as parameters', () => {
    const source = `export const parameters = {
      epochs: 1_000, // Passes
      lr: 1e-3,
      shift: -2,
      mode: ['fast', "exa\\"ct"],
      verbose: false,
      depth: { default: 4, minimum: 1, maximum: 9, description: 'How deep' },
      kind: { choices: ['a', 'b'], default: 'b' },
      sizes: [1, 2],
      name: \`tom\`,
    } as const;
    export const train = async (params: typeof parameters) => params;`;
    assert.deepEqual(parametersOf(source), [
      { name: 'epochs', type: 'integer', default: 1000, description: 'Passes' },
      { name: 'lr', type: 'number', default: 0.001, description: '' },
      { name: 'shift', type: 'integer', default: -2, description: '' },
      { name: 'mode', type: 'choice', default: 'fast', choices: ['fast', 'exa"ct'], description: '' },
      { name: 'verbose', type: 'boolean', default: false, description: '' },
      { name: 'depth', type: 'integer', default: 4, minimum: 1, maximum: 9, description: 'How deep' },
      { name: 'kind', type: 'choice', default: 'b', choices: ['a', 'b'], description: '' },
      { name: 'sizes', type: 'text', default: '[1,2]', json: true, description: '' },
      { name: 'name', type: 'text', default: 'tom', description: '' },
    ]);
  });

  it('is what its first parameter takes apart, and not what a later one does', () => {
    const source = 'export function train(_: object, { entered }: { entered: number }) { return entered; }';
    assert.deepEqual(parametersOf(source), []);
    const noted = 'export const train = (/* all */ { epochs = 3 }, { entered }) => entered;';
    assert.deepEqual(
      parametersOf(noted).map(({ name }) => name),
      ['epochs'],
    );
  });

  for (const source of [
    `import facts from './facts.json' with { type: 'json' };
    export default { async enter() {}, async train({ epochs = 3 /* how many */ }) {} };`,
    'export default { train: async ({ epochs = 3 /* how many */ }) => {} };',
    'const train = ({ epochs = 3 /* how many */ }) => {}; export default { train };',
    'export default async function ({ epochs = 3 /* how many */ }) {}',
    'export default { parameters: { epochs: 3 /* how many */ }, train(params) {} };',
  ]) {
    it(`is found in "${source.replaceAll(/\s+/g, ' ')}"`, () => {
      assert.deepEqual(parametersOf(source), [
        { name: 'epochs', type: 'integer', default: 3, description: 'how many' },
      ]);
    });
  }

  it('is what train takes apart, where nothing is declared', () => {
    const source = `/** Trains it. */
    export async function train({ epochs = 10, lr = 0.1, data }: { epochs?: number }, run: unknown) {}`;
    const described = read(source);
    assert.ok(described.ok);
    assert.equal(described.recipe.description, 'Trains it.');
    assert.equal(described.recipe.title, 'train.ts');
    assert.deepEqual(described.recipe.parameters, [
      { name: 'epochs', type: 'integer', default: 10, description: '' },
      { name: 'lr', type: 'number', default: 0.1, description: '' },
      { name: 'data', type: 'text', default: '', description: '', required: true },
    ]);
  });

  it('is found however it is exported', () => {
    for (const source of [
      'function train({ epochs = 3 }) {}\nexport { train };',
      'const run = ({ epochs = 3 }) => {};\nexport { run as train };',
      'const train = ({ epochs = 3 }) => {};\nexport default { train };',
    ]) {
      assert.equal(parametersOf(source)[0]?.default, 3, source);
    }
  });

  it('is that of the script that is written for beginners', () => {
    assert.deepEqual(
      parametersOf(TYPESCRIPT_SCRIPT).map(({ name, default: preset, description }) => [
        name,
        preset,
        description,
      ]),
      [
        ['epochs', 10, 'Passes over the data'],
        ['lr', 0.1, 'Learning rate'],
      ],
    );
  });

  const refused: [source: string, entrypoint: string, message: RegExp, line: number | undefined][] = [
    ['export const train = 1', 'none.ts', /There is no file .*none\.ts/, undefined],
    ['export const fly = () => {}', 'train.ts', /exports no function "train"; it exports fly/, undefined],
    ['const a = 1;\nexport const train = ( => {}', 'train.ts', /train\.ts:2 cannot be parsed/, 2],
    [
      'export const train = ({ n = f() }) => {}',
      'train.ts',
      /default of "n" has to be written out/,
      undefined,
    ],
  ];
  for (const [source, entrypoint, message, line] of refused) {
    it(`says why it takes none of ${JSON.stringify(source)}`, () => {
      const described = read(source, entrypoint);
      assert.ok(!described.ok);
      assert.match(described.message, message);
      assert.equal(described.line, line);
    });
  }
});
