import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocation } from '../../../src/host/code/openLocation';
import { sentName } from '../../../src/transfer/sendFolder';

describe('a place in a file that a run tells of', () => {
  let folder: string;
  let opened: unknown[];
  let said: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tiny cats 'ü' "));
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'train.py'), 'raise ValueError\n');
    opened = [];
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  class Position {
    constructor(readonly line: number) {}
  }
  class Range {
    constructor(readonly start: Position) {}
  }
  const open = async (file: string, within: string | undefined): Promise<void> => {
    const vs = {
      Position,
      Range,
      Uri: { file: (path: string) => path },
      commands: { executeCommand: (...values: unknown[]) => Promise.resolve(opened.push(values)) },
      window: { showInformationMessage: (text: string) => Promise.resolve(said.push(text)) },
    };
    const opening: unknown = Reflect.apply(openLocation, undefined, [vs, file, 3, within]);
    await opening;
  };
  const at = (path: string) => ['vscode.open', path, { selection: new Range(new Position(2)) }];

  it('is opened where the file is on this machine', async () => {
    const file = join(folder, 'src', 'train.py');
    await open(file, undefined);
    assert.deepEqual(opened, [at(file)]);
  });

  it('is opened in the workspace where a copy of it ran on another machine', async () => {
    await open(`/home/cat/.tiny-cats/data/sent/${sentName(folder)}/src/train.py`, folder);
    assert.deepEqual(opened, [at(join(folder, 'src', 'train.py'))]);
  });

  it('is said to be elsewhere where it is neither', async () => {
    for (const file of ['/usr/lib/python3/nowhere.py', `/data/${sentName(folder)}/src/gone.py`]) {
      await open(file, folder);
    }
    assert.deepEqual(opened, []);
    assert.match(said.join('\n'), /nowhere\.py is not on this machine\.\n.*gone\.py is not on this machine/);
  });
});
