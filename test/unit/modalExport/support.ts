import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { AppSettings } from '../../../src/modalExport/appSettings';
import type { ExportedApp } from '../../../src/modalExport/exportModalApp';
import { exportModalApp } from '../../../src/modalExport/exportModalApp';
import { appSettingsFrom } from '../../../src/modalExport/fromSettings';
import { LOCAL_TARGET } from '../../../src/targets/config';

const run = promisify(execFile);
const STUBS = join(__dirname, 'stubs');

export const SETTINGS = appSettingsFrom(LOCAL_TARGET, {});

const noteSchema = v.record(v.string(), v.unknown());

/** What became of an app that ran against the stub of `modal`. */
export interface StubRun {
  stdout: string;
  /** What Python said when it ended with an error; empty if it did not. */
  failure: string;
  /** What the stub wrote down, in order. */
  notes: v.InferOutput<typeof noteSchema>[];
}

/** A folder of user code that is gone after the test. */
export class CodeFolder {
  private constructor(readonly dir: string) {}

  static async make(files: Record<string, string>): Promise<CodeFolder> {
    const folder = new CodeFolder(await mkdtemp(join(tmpdir(), 'modal export-é "')));
    for (const [path, text] of Object.entries(files)) {
      await folder.write(path, text);
    }
    return folder;
  }

  async write(path: string, text: string): Promise<void> {
    const file = join(this.dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Exports, writes the app and returns it. */
  async export(
    entrypoint: string,
    settings: Partial<AppSettings> = {},
    appFile = 'modal_app.py',
  ): Promise<ExportedApp> {
    const app = this.read(entrypoint, settings, appFile);
    await this.write(appFile, app.text);
    return app;
  }

  read(entrypoint: string, settings: Partial<AppSettings> = {}, appFile = 'modal_app.py'): ExportedApp {
    return exportModalApp({ folder: this.dir, entrypoint, appFile, settings: { ...SETTINGS, ...settings } });
  }

  /** Runs an app as it is, by the stub. */
  async run(args: readonly string[], appFile = 'modal_app.py'): Promise<StubRun> {
    const root = await mkdtemp(join(tmpdir(), 'modal-stub-'));
    try {
      const env = {
        ...process.env,
        STUB_CONTAINER_ROOT: root,
        PYTHONPATH: STUBS,
        PYTHONDONTWRITEBYTECODE: '1',
      };
      const argv = [join(STUBS, 'run_app.py'), join(this.dir, appFile), ...args];
      const { stdout, failure } = await run('python3', argv, { env, cwd: tmpdir() }).then(
        (ended) => ({ stdout: ended.stdout, failure: '' }),
        (error: unknown) => ({ stdout: '', failure: String(error) }),
      );
      const lines = (await readFile(join(root, 'notes.jsonl'), 'utf8')).trim().split('\n');
      return { stdout, failure, notes: lines.map((line) => v.parse(noteSchema, JSON.parse(line))) };
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }
}

/** Whether Python's own parser takes the texts. Throws with its message if not. */
export async function parsePython(texts: readonly string[]): Promise<void> {
  const child = run('python3', [
    '-c',
    'import ast, json, sys; [ast.parse(text) for text in json.load(sys.stdin)]',
  ]);
  child.child.stdin?.end(JSON.stringify(texts));
  await child;
}

/** Skips where there is no Python, saying so. */
export async function needPython(context: Mocha.Context): Promise<void> {
  try {
    await run('python3', ['-c', 'import sys; assert sys.version_info >= (3, 10)']);
  } catch {
    console.warn('      needs python3 of 3.10 or later: apt-get install python3');
    context.skip();
  }
}
