import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Program } from '../src/protocol/program';
import type { FromTrainer, ToTrainer } from '../src/container/trainerProtocol';
import { fromTrainerSchema } from '../src/container/trainerProtocol';

const returnedSchema = v.object({ step_ms: v.number(), edit: v.number() });

export interface StepTimes {
  /** From the request; of the first run from the start of the process. */
  readonly firstStepMs: number;
  readonly stepMs: number;
  readonly edit: number;
}

/** A Python trainer without a supervisor, as one would start it. */
export class PythonSide {
  private readonly child: ChildProcess;
  private readonly startedAt = Date.now();
  private readonly ready: Promise<FromTrainer>;
  private readonly program: Program;
  private runs = 0;

  constructor(
    python: string,
    script: string,
    private readonly folder: string,
  ) {
    this.program = { kind: 'python', interpreter: python, folder, entrypoint: 'train.py:train' };
    this.child = spawn(python, ['-u', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.ready = this.next(({ type }) => type === 'ready');
    this.send({
      type: 'enter',
      engine: 'auto',
      wasmDir: '',
      enginesDir: '',
      dataDir: folder,
      hint: { recipe: 'train', params: {} },
      spawnedAt: this.startedAt,
      program: this.program,
    });
  }

  async run(): Promise<StepTimes> {
    this.runs += 1;
    const isFirst = this.runs === 1;
    const runDir = join(this.folder, 'outputs', `run-${this.runs}`);
    mkdirSync(runDir, { recursive: true });
    if (isFirst) await this.ready;
    const askedAt = isFirst ? this.startedAt : Date.now();
    const stepped = this.next(({ type }) => type === 'firstStep').then(() => Date.now() - askedAt);
    const ended = this.next(({ type }) => type === 'ended');
    this.send({
      type: 'run',
      runId: `run-${this.runs}`,
      recipe: 'train',
      program: this.program,
      params: {},
      runDir,
      outputsDir: join(this.folder, 'outputs'),
      dataDir: this.folder,
      askedAt,
      attempt: 1,
      resumeDir: null,
    });
    const firstStepMs = await stepped;
    const message = await ended;
    const { step_ms, edit } = v.parse(returnedSchema, message.type === 'ended' ? message.returned : {});
    return { firstStepMs, stepMs: step_ms, edit };
  }

  end(): Promise<void> {
    const gone = new Promise<void>((done) => this.child.once('exit', () => done()));
    this.child.disconnect();
    return gone;
  }

  private send(message: ToTrainer): void {
    this.child.send(message);
  }

  private next(fits: (message: FromTrainer) => boolean): Promise<FromTrainer> {
    return new Promise((done, failed) => {
      const died = () => failed(new Error('the Python trainer died'));
      const hear = (value: unknown): void => {
        const message = v.parse(fromTrainerSchema, value);
        if (fits(message)) {
          this.child.off('message', hear).off('exit', died);
          done(message);
        }
      };
      this.child.on('message', hear).once('exit', died);
    });
  }
}
