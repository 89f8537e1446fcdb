import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { fromTrainerSchema } from '../../../src/container/trainerProtocol';
import { parse } from '../../../src/protocol/schema';

const SCRIPT = resolve('src/container/python/tinycats_trainer.py');

const messageSchema = v.looseObject({ type: v.string() });
const eventSchema = v.looseObject({
  type: v.literal('event'),
  runId: v.string(),
  event: v.looseObject({ type: v.string() }),
});
export type Body = v.InferOutput<typeof messageSchema>;

/** A workspace folder with the user's files, and volumes beside it. */
export class Folder {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), `tiny cats it's "ä" 猫 `)));
  readonly path = join(this.root, 'work space');
  readonly outputsDir = join(this.root, 'outputs');

  constructor(files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(files)) {
      this.write(name, text);
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), text);
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** What a run has said. */
export class Told {
  constructor(
    readonly runId: string,
    readonly runDir: string,
    readonly messages: readonly Body[],
  ) {}

  /** Bodies of the run's events of one type. */
  events(type: string): Body[] {
    return this.messages.flatMap((message) => {
      const { success, output } = v.safeParse(eventSchema, message);
      return success && output.runId === this.runId && output.event.type === type ? [output.event] : [];
    });
  }

  /** Lines of the log, those of one level where it is given. */
  lines(level?: string): unknown[] {
    return this.events('log')
      .filter((event) => level === undefined || event.level === level)
      .map(({ text }) => text);
  }

  get ended(): Body {
    const last = this.messages.at(-1);
    assert.equal(last?.type, 'ended');
    return last;
  }

  get hasStepped(): boolean {
    return this.messages.some(({ type }) => type === 'firstStep');
  }

  /** The status, and in its failure the reason. */
  assertStatus(status: string): void {
    assert.equal(this.ended.status, status, JSON.stringify([this.ended, this.lines()], null, 1));
  }
}

/** A real Python trainer on a real IPC channel. */
export class PythonTrainer {
  private readonly child: ChildProcess;
  private readonly heard: Body[] = [];
  private readonly waiters = new Set<() => void>();
  private runs = 0;
  private stderr = '';
  private gone = false;

  constructor(
    interpreter: string,
    readonly folder: Folder,
    program: Readonly<Record<string, unknown>>,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.child = spawn(interpreter, ['-u', SCRIPT], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
    });
    this.child.on('message', (message: unknown) => {
      // Whatever it says has to pass where the supervisor checks it.
      parse(fromTrainerSchema, message, 'message from the trainer');
      this.heard.push(v.parse(messageSchema, message));
      this.wake();
    });
    this.child.stdout?.resume();
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child.once('exit', () => {
      this.gone = true;
      this.wake();
    });
    this.child.send({
      type: 'enter',
      engine: 'auto',
      wasmDir: '',
      enginesDir: '',
      dataDir: join(folder.root, 'data'),
      hint: { recipe: 'train', params: {} },
      spawnedAt: Date.now(),
      program,
    });
  }

  static ofFile(interpreter: string, folder: Folder, entrypoint: string, more = {}): PythonTrainer {
    return new PythonTrainer(interpreter, folder, {
      kind: 'python',
      interpreter,
      folder: folder.path,
      entrypoint,
      ...more,
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** All messages of enter, once it is done. */
  async ready(): Promise<readonly Body[]> {
    await this.until((message) => message.type === 'ready');
    return this.heard;
  }

  /** Starts a run, whose end `ended` waits for. */
  async start(params: Readonly<Record<string, unknown>> = {}, more = {}): Promise<Started> {
    await this.ready();
    this.runs += 1;
    const runId = `run-${this.runs}`;
    const runDir = join(this.folder.outputsDir, 'checkpoints', 'train', '2026-01-01', runId);
    mkdirSync(runDir, { recursive: true });
    writeFileSync(join(runDir, 'run.json'), '{}');
    const first = this.heard.length;
    this.child.send({
      type: 'run',
      runId,
      recipe: 'train',
      params,
      runDir,
      outputsDir: this.folder.outputsDir,
      dataDir: join(this.folder.root, 'data'),
      askedAt: Date.now(),
      attempt: 1,
      resumeDir: null,
      ...more,
    });
    const told = () => new Told(runId, runDir, this.heard.slice(first));
    return {
      until: async (fits) => {
        await this.until((message) => fits(message), first);
        return told();
      },
      ended: async () => {
        await this.until((message) => message.type === 'ended', first);
        return told();
      },
    };
  }

  /** Trains one run to its end. */
  async run(params: Readonly<Record<string, unknown>> = {}, more = {}): Promise<Told> {
    return (await this.start(params, more)).ended();
  }

  stop(): void {
    this.child.send({ type: 'stop' });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }

  /** Waits for its death. @returns what it wrote to stderr */
  async death(): Promise<string> {
    while (!this.gone) {
      await new Promise<void>((woken) => this.waiters.add(woken));
    }
    return this.stderr;
  }

  /** Leaves it alone, as a supervisor that dies does. */
  disconnect(): void {
    if (this.child.connected) {
      this.child.disconnect();
    }
  }

  async dispose(): Promise<void> {
    this.disconnect();
    await this.death();
    this.folder.dispose();
  }

  private async until(fits: (message: Body) => boolean, first = 0): Promise<void> {
    while (!this.heard.slice(first).some(fits)) {
      if (this.gone) {
        throw new Error(`the trainer is gone: ${this.stderr}\n${JSON.stringify(this.heard.slice(first))}`);
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

export interface Started {
  /** Waits for a message. */
  until: (fits: (message: Body) => boolean) => Promise<Told>;
  ended: () => Promise<Told>;
}

/** Whether a message is a log event with that text. */
export function says(text: string): (message: Body) => boolean {
  return (message) => {
    const { success, output } = v.safeParse(eventSchema, message);
    return success && output.event.type === 'log' && output.event.text === text;
  };
}
