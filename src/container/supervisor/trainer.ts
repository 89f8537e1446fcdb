import { join } from 'node:path';
import type { ContainerStatus, DeviceFacts } from '../../protocol/container';
import { embeddedEngine } from '../../protocol/container';
import type { HeldMemory, LogLevel, Phase, RunEventBody } from '../../protocol/events';
import { checkParameters, defaultParameters, ParameterError } from '../../protocol/parameters';
import type { ParameterValues } from '../../protocol/parameters';
import type { Program } from '../../protocol/program';
import { RECIPES_PROGRAM, isSameProgram, isUserProgram } from '../../protocol/program';
import type { Location } from '../../protocol/run';
import { CLASSIFIER, findRecipe } from '../../protocol/recipes';
import type { StartOptions } from '../../targets/local/startOptions';
import type { Ended, FromTrainer, RunOrder } from '../trainerProtocol';
import type { Launch } from './launch';
import { launchOf } from './launch';
import type { Death } from './trainerProcess';
import { TrainerProcess } from './trainerProcess';

export interface TrainerListener {
  /** The enter hook has finished one more phase. */
  phase(): void;
  log(level: LogLevel, text: string, location?: Location): void;
  /** The enter hook is done. */
  ready(): void;
  /** The enter hook failed. */
  enterFailed(message: string, location?: Location): void;
  event(runId: string, event: RunEventBody): void;
  firstStep(runId: string): void;
  /** The trainer is free for the next run. */
  ended(ended: Ended): void;
  /** The process died; `entered`: its enter hook was done. */
  died(death: Death & { entered: boolean; isUsers: boolean }): void;
}

/** What the enter hook is to prepare for. */
export interface Hint {
  recipe: string;
  params: ParameterValues;
  program: Program;
}

/** The container's trainer: one process at a time, and what is known of it. */
export class Trainer {
  private process: TrainerProcess | undefined;
  /** Grows with every start and end: what is still being launched for an older one is not wanted any more. */
  private generation = 0;
  private phasesDone: Phase[] = [];
  private enteredAt = 0;
  /** A run waits for the enter hook. */
  private isAwaited = false;
  /** The enter hook is done. */
  isReady = false;
  /** It works on a run, be it one that has ended for the clients. */
  isBusy = false;
  engine = '';
  device = '';
  deviceFacts: DeviceFacts | null = null;
  /** What it was asked to be warm for. */
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

  /** Whether it is or will be warm for this program. */
  isFor(program: Program): boolean {
    return isSameProgram(this.program, program);
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
    this.dismiss();
    this.program = hint.program;
    this.isAwaited = false;
    this.phasesDone = [];
    this.enteredAt = spawnedAt;
    this.engine = '';
    this.device = '';
    this.deviceFacts = null;
    this.heldMemory = null;
    this.restartNeeded = null;
    const { generation } = this;
    void launchOf(hint.program, this.options.engine, this.bundleDir).then((launch) => {
      if (generation === this.generation) {
        this.start(launch, hint, spawnedAt);
      }
    });
  }

  private start(launch: Launch, hint: Hint, spawnedAt: number): void {
    const process = new TrainerProcess(launch);
    this.process = process;
    process.on('message', (message) => {
      if (process === this.process) {
        this.heard(message);
      }
    });
    process.once('exit', (death) => this.exited(death, launch.isUsers));
    process.send({
      type: 'enter',
      program: launch.program,
      engine: embeddedEngine(this.options.engine),
      wasmDir: join(this.bundleDir, 'wasm'),
      enginesDir: this.options.enginesDir,
      dataDir: this.options.dataDir,
      hint: trainable(hint),
      spawnedAt,
    });
    if (this.isAwaited) {
      this.hurry();
    }
  }

  /** A run waits: the enter hook is to make ready no more than that needs. */
  hurry(): void {
    this.isAwaited = true;
    if (!this.isReady && !isUserProgram(this.program)) {
      this.process?.send({ type: 'awaited' });
    }
  }

  run(order: Omit<RunOrder, 'type' | 'outputsDir' | 'dataDir'>): void {
    const { outputsDir, dataDir } = this.options;
    this.isBusy = true;
    this.program = order.program;
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
    this.generation += 1;
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
        listener.log(message.level, message.text, message.location);
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
        listener.enterFailed(message.message, message.location);
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

  private exited(death: Death, isUsers: boolean): void {
    const entered = this.isReady;
    this.generation += 1;
    this.process = undefined;
    this.isReady = false;
    this.isBusy = false;
    console.error(`the trainer is gone: ${death.cause}`);
    this.listener.died({ ...death, entered, isUsers });
  }
}

/** What can be prepared for: a run that asks for what cannot be is refused in its turn, and the container is not. */
function trainable({ recipe, params, program }: Hint): { recipe: string; params: ParameterValues } {
  if (isUserProgram(program)) {
    return { recipe, params };
  }
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
