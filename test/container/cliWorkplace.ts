import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { encodePng } from '../../src/container/data/pngEncode';
import { runResultSchema } from '../../src/protocol/run';
import { trialSchema } from '../../src/protocol/sweep';

const CLI = resolve('dist/cli.js');

/** The last line of `--json`. */
export const resultLineSchema = v.object({
  ...runResultSchema.entries,
  start: v.nullable(runResultSchema.entries.start),
  run_id: v.optional(v.string()),
});
/** The last line of `sweep --json`. */
export const sweepEndSchema = v.object({
  sweep_id: v.string(),
  status: v.string(),
  best: trialSchema,
  trials: v.array(trialSchema),
});

export type ResultLine = v.InferOutput<typeof resultLineSchema>;

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
  lines: string[];
}

/** A `tiny-cats` process. */
export class CliProcess {
  readonly finished: Promise<Finished>;
  private readonly lines: string[] = [];
  private readonly waiters = new Set<() => void>();
  private stderr = '';

  constructor(readonly child: ChildProcess) {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) {
      throw new Error('the streams have to be pipes');
    }
    createInterface(stdout).on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.wake();
    });
    this.finished = new Promise((done) => {
      child.once('close', (code) => {
        const { lines } = this;
        done({ code, stdout: lines.map((line) => `${line}\n`).join(''), stderr: this.stderr, lines });
        this.wake();
      });
    });
  }

  /** Waits for what the process writes to stdout or stderr. @throws Error if it ends without having written it */
  async until(pattern: RegExp): Promise<void> {
    while (!this.lines.some((line) => pattern.test(line)) && !pattern.test(this.stderr)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(
          `the process ended without ${String(pattern)}:\n${this.lines.join('\n')}\n${this.stderr}`,
        );
      }
      await new Promise<void>((woken) => this.waiters.add(woken));
    }
  }

  private wake(): void {
    for (const woken of this.waiters) {
      woken();
    }
    this.waiters.clear();
  }
}

/** A folder to work in, with volumes and a home of its own. */
export class Workplace {
  private readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'tiny-cats-')));
  readonly cwd: string;
  readonly home = join(this.root, 'home');

  /** @param name of the folder that the commands run in */
  constructor(name = 'work') {
    this.cwd = join(this.root, name);
    mkdirSync(this.cwd);
  }

  /** Makes an image folder that is learnt quickly: reddish cats and bluish others. */
  imageFolder(name: string): void {
    for (const [label, red] of [
      ['cat', 200],
      ['other, \'non\' "cat"', 20],
    ] as const) {
      mkdirSync(join(this.cwd, name, label), { recursive: true });
      for (let index = 0; index < 10; index += 1) {
        const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) =>
          at % 3 === 0 ? red : 110 + ((at * index) % 50),
        );
        writeFileSync(join(this.cwd, name, label, `${index}.png`), encodePng(16, 16, pixels));
      }
    }
  }

  start(...args: string[]): CliProcess {
    return new CliProcess(
      spawn(process.execPath, [CLI, ...args], {
        cwd: this.cwd,
        env: { ...process.env, TINY_CATS_HOME: this.home, TINY_CATS_OUTPUTS: '', TINY_CATS_DATA: '' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  run(...args: string[]): Promise<Finished> {
    return this.start(...args).finished;
  }

  /** Runs a command with `--json` that writes one value. */
  async json<T extends v.GenericSchema>(schema: T, ...args: string[]): Promise<v.InferOutput<T>> {
    const { stdout, stderr } = await this.run(...args, '--json');
    if (stdout === '') {
      throw new Error(stderr);
    }
    return v.parse(schema, JSON.parse(stdout));
  }

  /** Lets the container go and removes everything. */
  async dispose(): Promise<void> {
    await this.run('cool');
    rmSync(this.root, { recursive: true });
  }
}

/** A short training. */
export const SHORT = ['--epochs', '1', '--image-size', '16'] as const;
/** A training that does not end by itself while a test looks at it. */
export const LONG = ['--epochs', '10000', '--image-size', '16'] as const;

/** The result that a training with `--json` has ended with. */
export function resultOf({ lines, stderr }: Finished): ResultLine {
  const last = lines.at(-1);
  if (last === undefined) {
    throw new Error(`nothing was written to stdout: ${stderr}`);
  }
  return v.parse(resultLineSchema, JSON.parse(last));
}
