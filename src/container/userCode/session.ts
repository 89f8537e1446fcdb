import { join } from 'node:path';
import * as v from 'valibot';
import { jsonSchema } from '../../protocol/json';
import type { LogLevel } from '../../protocol/events';
import type { ParameterValues, RecipeSpec } from '../../protocol/parameters';
import { checkParameters } from '../../protocol/parameters';
import type { UserProgram } from '../../protocol/program';
import { isUserProgram, splitEntrypoint } from '../../protocol/program';
import { describeTypeScriptLazily } from '../../typescript/load';
import { loadEngine } from '../engines/engine';
import { PhaseRecorder } from '../trainer/phases';
import type { EnterOptions, FromTrainer, RunOrder } from '../trainerProtocol';
import { capturePrints } from './capture';
import { failureOf, traceOf } from './failures';
import { compilePatterns } from './metricLines';
import { FileWatch } from './fileWatch';
import { ModuleGraph } from './moduleGraph';
import type { CheckpointFacts, Metrics } from './reporter';
import { Reporter, StopRequested } from './reporter';

const MAX_RETURNED_BYTES = 64 * 1024;
/** Between two looks for files that the code has written. */
const SCAN_MS = 2000;
const TFJS = ['@tensorflow/tfjs-core', '@tensorflow/tfjs'];

const functionSchema = v.function();
const exportsSchema = v.looseObject({});

/** The user's TypeScript or JavaScript, warm: its modules, and what its `enter` made. */
export class UserCodeSession {
  private readonly graph: ModuleGraph;
  private reporter: Reporter | undefined;
  private files: FileWatch | undefined;
  private signal: AbortSignal | undefined;
  private runDir = '';
  /** What `enter` returned, and what it was made of then. */
  private entered: { value: unknown; source: string } | undefined;
  private readonly spoken = { restart: '' };
  private readonly flushPrints: () => void;

  constructor(
    private program: UserProgram,
    private readonly options: EnterOptions,
    private readonly send: (message: FromTrainer) => void,
  ) {
    const { wasmDir, enginesDir } = options;
    const own = new Map([['tinycats', this.api]]);
    const engine = async (): Promise<unknown> => {
      const log = (text: string): void => send({ type: 'log', level: 'info', text });
      return (await loadEngine(options.engine, { wasmDir, enginesDir, log })).tf;
    };
    this.graph = new ModuleGraph(program.folder, own, new Map(TFJS.map((name) => [name, engine])));
    this.flushPrints = capturePrints((level, text) => this.printed(level, text));
  }

  /** What code gets of `import … from 'tinycats'`, and as the second parameter of `enter` and `train`. */
  private get api() {
    const session = (): Reporter => {
      if (this.reporter === undefined) {
        throw new Error('There is no run: this is for train, not for enter.');
      }
      return this.reporter;
    };
    return {
      log: (metrics: Metrics) => session().log(metrics),
      checkpoint: (path: string, facts?: CheckpointFacts) => {
        const reporter = session();
        const file = this.files?.report(path);
        if (file !== undefined) {
          reporter.file(file, facts);
        }
      },
      runDir: () => this.runDir,
      outputsDir: () => process.env.TINY_CATS_OUTPUTS_DIR ?? '',
      dataDir: () => process.env.TINY_CATS_DATA_DIR ?? '',
      signal: () => this.signal ?? AbortSignal.abort(),
    };
  }

  /** What can fail because of the code does not: the run says it, and the process stays warm. */
  async enter(recorder: PhaseRecorder): Promise<void> {
    process.chdir(this.program.folder);
    process.env.TINY_CATS_DATA_DIR = this.options.dataDir;
    try {
      await this.prepare(recorder);
    } catch (error) {
      const { message, location } = failureOf(error, (file) => this.graph.isOwn(file));
      const place = location === undefined ? {} : { location };
      this.send({
        type: 'log',
        level: 'warning',
        text: `${message} It is tried again with the run.`,
        ...place,
      });
    }
  }

  async run(order: RunOrder, signal: AbortSignal): Promise<void> {
    const { runId, runDir, program } = order;
    if (isUserProgram(program)) {
      this.program = program;
    }
    const environment = { ...process.env };
    const recorder = new PhaseRecorder('run', order.askedAt, (phase) => {
      if (order.attempt === 1) {
        this.send({ type: 'event', runId, event: { type: 'phase', phase } });
      }
    });
    const reporter = new Reporter({
      signal,
      patterns: compilePatterns(this.program.metricPatterns ?? []),
      emit: (event) => this.send({ type: 'event', runId, event }),
      firstStep: () => this.send({ type: 'firstStep', runId }),
    });
    const files = new FileWatch({
      runDir,
      outputsDir: order.outputsDir,
      folder: this.program.folder,
      tell: (file) => reporter.file(file),
    });
    const scans = setInterval(() => void this.look(files, false), SCAN_MS);
    Object.assign(this, { reporter, files, signal, runDir });
    process.chdir(this.program.folder);
    process.env.TINY_CATS_RUN_DIR = runDir;
    process.env.TINY_CATS_OUTPUTS_DIR = order.outputsDir;
    process.env.TINY_CATS_DATA_DIR = order.dataDir;
    try {
      const returned = await this.train(order, recorder, signal);
      await this.settle(reporter, files);
      const status = signal.aborted ? 'stopped' : 'completed';
      const value = this.returnedOf(returned);
      this.send({
        type: 'ended',
        runId,
        status,
        output: this.outputOf(reporter),
        val_acc: reporter.best,
        ...(value === undefined ? {} : { returned: value }),
      });
    } catch (error) {
      await this.settle(reporter, files);
      const isOwn = (file: string): boolean => this.graph.isOwn(file);
      const failed = failureOf(error, isOwn);
      const output = this.outputOf(reporter);
      const known = { type: 'ended', runId, output, val_acc: reporter.best } as const;
      const isStop =
        error instanceof StopRequested || (error instanceof Error && error.name === 'AbortError');
      if (signal.aborted && (isStop || error === signal.reason)) {
        this.send({ ...known, status: 'stopped' });
        return;
      }
      const text = traceOf(error, isOwn);
      if (text !== undefined) {
        const { location } = failed;
        const place = location === undefined ? {} : { location };
        this.send({ type: 'event', runId, event: { type: 'log', level: 'error', text, ...place } });
      }
      this.send({ ...known, status: 'failed', error: failed });
    } finally {
      clearInterval(scans);
      this.reporter = undefined;
      this.files = undefined;
      process.env = environment;
    }
  }

  /** The code has ended: tells what is left to be told. */
  private async settle(reporter: Reporter, files: FileWatch): Promise<void> {
    await this.look(files, true);
    this.flushPrints();
    reporter.close();
  }

  private async look(files: FileWatch, isFinal: boolean): Promise<void> {
    await files.scan(isFinal).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.printed('warning', `A file of the run could not be kept: ${why}`);
    });
  }

  private outputOf({ output }: Reporter): string | null {
    return output === undefined ? null : join(this.runDir, output);
  }

  private async train(order: RunOrder, recorder: PhaseRecorder, signal: AbortSignal): Promise<unknown> {
    const { runId } = order;
    const { train, spec } = await recorder.phase('reload', () => this.prepare(undefined));
    this.tellRestart(runId);
    this.send({ type: 'event', runId, event: { type: 'files', files: this.graph.files } });
    const checked = checkParameters(spec, order.params);
    this.files?.follow(checked);
    const params = valuesOf(spec, checked);
    this.send({ type: 'event', runId, event: { type: 'state', state: 'training' } });
    return train(params, { ...this.api, entered: this.entered?.value, signal, runDir: order.runDir });
  }

  /** Reads the code as it is now, and calls `enter` unless that was done. */
  private async prepare(recorder: PhaseRecorder | undefined) {
    const { folder, entrypoint } = this.program;
    const { path, name = 'train' } = splitEntrypoint(entrypoint);
    const phase = async <T>(what: string, work: () => Promise<T>): Promise<T> =>
      recorder === undefined ? work() : recorder.phase(what, work);
    this.graph.refresh();
    const spec = describeTypeScriptLazily(folder, entrypoint, __dirname);
    const exported = await phase(path, () => this.graph.load(path));
    const train = exportedFunction(exported, name);
    if (train === undefined) {
      throw new Error(`${path} exports no function "${name}".`);
    }
    const enter = exportedFunction(exported, 'enter');
    const source = enter === undefined ? '' : this.graph.sourceOf(enter.source, path);
    if (this.entered === undefined) {
      const value =
        enter === undefined
          ? undefined
          : await phase('enter', async (): Promise<unknown> => await enter.call(this.api));
      this.entered = { value, source };
    } else if (this.entered.source !== source) {
      this.spoken.restart = `enter of ${path}, or what it uses, has changed: what it made before is still in use.`;
    }
    return {
      spec,
      train: train.call,
    };
  }

  private tellRestart(runId: string): void {
    const reason = this.spoken.restart;
    if (reason !== '') {
      this.spoken.restart = '';
      this.send({ type: 'event', runId, event: { type: 'restart_needed', reason } });
    }
  }

  private printed(level: LogLevel, text: string): void {
    if (this.reporter === undefined) {
      this.send({ type: 'log', level, text });
    } else {
      this.reporter.line(level, text);
    }
  }

  private returnedOf(value: unknown): v.InferOutput<typeof jsonSchema> | undefined {
    if (value === undefined) {
      return undefined;
    }
    try {
      const text = JSON.stringify(value);
      const read = v.safeParse(jsonSchema, JSON.parse(text));
      if (read.success && text.length <= MAX_RETURNED_BYTES) {
        return read.output;
      }
    } catch {
      // Said below.
    }
    this.printed(
      'warning',
      `What train returned is no JSON of at most ${MAX_RETURNED_BYTES} bytes: it is left out.`,
    );
    return undefined;
  }
}

/** A function that is exported by its name, or as a part of the default export, or as that itself where it trains. */
function exportedFunction(exported: unknown, name: string) {
  const { success, output } = v.safeParse(exportsSchema, exported);
  const preset = success ? output.default : undefined;
  const parts = v.safeParse(exportsSchema, preset);
  const candidates = [
    { owner: undefined, value: success ? output[name] : undefined },
    { owner: preset, value: parts.success ? parts.output[name] : undefined },
    { owner: undefined, value: name === 'train' ? preset : undefined },
  ];
  for (const { owner, value } of candidates) {
    const found = v.safeParse(functionSchema, value);
    if (found.success) {
      return {
        source: String(found.output),
        call: (...values: unknown[]): unknown => Reflect.apply(found.output, owner, values),
      };
    }
  }
  return undefined;
}

/** Values as the code takes them: what is written as JSON is read. */
function valuesOf({ parameters }: RecipeSpec, values: ParameterValues): Record<string, unknown> {
  return Object.fromEntries(
    parameters.map((spec) => {
      const value = values[spec.name];
      const isJson = spec.type === 'text' && spec.json === true;
      return [
        spec.name,
        isJson && typeof value === 'string' ? (value === '' ? null : JSON.parse(value)) : value,
      ];
    }),
  );
}
