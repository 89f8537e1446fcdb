import { join } from 'node:path';
import type { ContainerStatus, DeviceFacts } from '../../protocol/container';
import type { HeldMemory, LogLevel, Phase, RunEventBody } from '../../protocol/events';
import { checkParameters, defaultParameters, ParameterError } from '../../protocol/parameters';
import type { ParameterValues } from '../../protocol/parameters';
import type { Program } from '../../protocol/program';
import { RECIPES_PROGRAM } from '../../protocol/program';
import { CLASSIFIER, findRecipe } from '../../protocol/recipes';
import type { StartOptions } from '../../targets/local/startOptions';
import type { Ended, FromTrainer, RunOrder } from '../trainerProtocol';
import { TrainerProcess } from './trainerProcess';

export interface TrainerListener {
  /** The enter hook has finished one more phase. */
  phase(): void;
  log(level: LogLevel, text: string): void;
  /** The enter hook is done. */
  ready(): void;
  /** The enter hook failed. */
  enterFailed(message: string): void;
  event(runId: string, event: RunEventBody): void;
  firstStep(runId: string): void;
  /** The trainer is free for the next run. */
  ended(ended: Ended): void;
  /** The process died; `cause` says how, `entered` whether its enter hook was done. */
  died(cause: string, entered: boolean): void;
}

/** What the enter hook is to prepare for. */
export interface Hint {
  recipe: string;
  params: ParameterValues;
}

/** The container's trainer: one process at a time, and what is known of it. */
export class Trainer {
  private process: TrainerProcess | undefined;
  private phasesDone: Phase[] = [];
  private enteredAt = 0;
  /** The enter hook is done. */
  isReady = false;
  /** It works on a run, be it one that has ended for the clients. */
  isBusy = false;
  engine = '';
  device = '';
  deviceFacts: DeviceFacts | null = null;
  program: Program = RECIPES_PROGRAM;
  /** What its runs have said of the process: it is true until the process ends. */
  heldMemory: HeldMemory | null = null;
  restartNeeded: string | null = null;

  constructor(
    private readonly options: StartOptions,
    private readonly bundleDir: string,
    private readonly listener: TrainerListener,
  ) {}

  get pid(): number | null {
    return this.process?.pid ?? null;
  }

  /** Phases of the enter hook, counted from when the trainer was asked for; grows while it warms. */
  get enter(): ContainerStatus['enter'] {
    const last = this.phasesDone.filter((phase) => phase.within === undefined).at(-1);
    return {
      phases: this.phasesDone,
      totalMs: this.isReady && last !== undefined ? last.startMs + last.durationMs : null,
    };
  }

  /** Phases of the enter hook, counted from `originMs`, milliseconds since the epoch. */
  enterSince(originMs: number): Phase[] {
    const shiftMs = this.enteredAt - originMs;
    return this.phasesDone.map((phase) => ({ ...phase, startMs: phase.startMs + shiftMs }));
  }

  /** Starts a new process. @param spawnedAt when it was asked for, milliseconds since the epoch */
  warm(hint: Hint, spawnedAt: number): void {
    this.isReady = false;
    this.isBusy = false;
    this.phasesDone = [];
    this.enteredAt = spawnedAt;
    this.heldMemory = null;
    this.restartNeeded = null;
    const process = new TrainerProcess(join(this.bundleDir, 'trainer.js'));
    this.process = process;
    process.on('message', (message) => {
      if (process === this.process) {
        this.heard(message);
      }
    });
    process.once('exit', (cause) => this.exited(cause));
    process.send({
      type: 'enter',
      program: this.program,
      engine: this.options.engine,
      wasmDir: join(this.bundleDir, 'wasm'),
      enginesDir: this.options.enginesDir,
      dataDir: this.options.dataDir,
      hint: trainable(hint),
      spawnedAt,
    });
  }

  run(order: Omit<RunOrder, 'type' | 'outputsDir' | 'dataDir'>): void {
    const { outputsDir, dataDir } = this.options;
    this.isBusy = true;
    this.process?.send({ type: 'run', outputsDir, dataDir, ...order });
  }

  stop(): void {
    this.process?.send({ type: 'stop' });
  }

  /** Ends the process, which is told of as a death. */
  kill(): void {
    this.process?.kill();
  }

  /** Ends the process for good; nothing more is heard of it. */
  dismiss(): void {
    this.process?.removeAllListeners();
    this.process?.kill();
    this.process = undefined;
    this.isReady = false;
    this.isBusy = false;
  }

  private heard(message: FromTrainer): void {
    const { listener } = this;
    switch (message.type) {
      case 'phase':
        this.phasesDone = [...this.phasesDone, message.phase];
        listener.phase();
        break;
      case 'log':
        listener.log(message.level, message.text);
        break;
      case 'ready':
        this.isReady = true;
        this.engine = message.engine;
        this.device = message.device;
        this.deviceFacts = message.deviceFacts ?? null;
        listener.ready();
        break;
      case 'enterFailed':
        this.dismiss();
        listener.enterFailed(message.message);
        break;
      case 'event':
        this.note(message.event);
        listener.event(message.runId, message.event);
        break;
      case 'firstStep':
        listener.firstStep(message.runId);
        break;
      case 'ended':
        this.isBusy = false;
        listener.ended(message);
        break;
    }
  }

  private note(event: RunEventBody): void {
    if (event.type === 'held_memory') {
      this.heldMemory = { bytes: event.bytes, sinceRun: event.sinceRun };
    } else if (event.type === 'restart_needed') {
      this.restartNeeded = event.reason;
    }
  }

  private exited(cause: string): void {
    const wasReady = this.isReady;
    this.process = undefined;
    this.isReady = false;
    this.isBusy = false;
    console.error(`the trainer is gone: ${cause}`);
    this.listener.died(cause, wasReady);
  }
}

/** What can be prepared for: a run that asks for what cannot be is refused in its turn, and the container is not. */
function trainable({ recipe, params }: Hint): Hint {
  const spec = findRecipe(recipe) ?? CLASSIFIER;
  try {
    return { recipe: spec.name, params: checkParameters(spec, params) };
  } catch (error) {
    if (error instanceof ParameterError) {
      return { recipe: spec.name, params: defaultParameters(spec) };
    }
    throw error;
  }
}
