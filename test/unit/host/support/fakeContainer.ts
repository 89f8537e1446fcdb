import { join } from 'node:path';
import { once } from 'node:events';
import * as v from 'valibot';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { ContainerClient } from '../../../../src/client/containerClient';
import type { ContainerStatus } from '../../../../src/protocol/container';
import type { RunEventBody } from '../../../../src/protocol/events';
import { methods } from '../../../../src/protocol/rpc';
import type { RunRecord } from '../../../../src/protocol/run';
import { RUN_RECORD_VERSION } from '../../../../src/protocol/run';
import { parse } from '../../../../src/protocol/schema';
import type { Endpoint, Finding, Target } from '../../../../src/targets/target';
import { EventLogWriter } from '../../../../src/volume/eventLog';
import { settleInterruptedRuns } from '../../../../src/volume/interrupted';
import { OutputsVolume, RUN_FILES } from '../../../../src/volume/outputsVolume';

const GOING_AWAY = 1001;
const requestSchema = v.object({ id: v.number(), method: v.string(), params: v.unknown() });

interface Refusal {
  code: number;
  message: string;
  data?: unknown;
}

/** A container that trains nothing: tests say what happens in it. Its socket, log and volume are real. */
export class FakeContainer implements Target {
  readonly kind = 'local';
  readonly name = 'local';
  readonly volume: OutputsVolume;
  /** Requests as they came, by method. */
  readonly requests: { method: string; params: unknown }[] = [];
  /** The next request of that method is refused. */
  readonly refusals = new Map<string, Refusal>();
  starts = 0;
  startError: Error | undefined;
  /** A problem that it tells right behind a handshake, and for which it goes then. */
  fatal: string | undefined;
  status: ContainerStatus;
  private readonly waiting = new Map<string, () => void>();
  private server: WebSocketServer | undefined;
  private log: EventLogWriter | undefined;
  private run: { record: RunRecord; dir: string } | undefined;

  constructor(readonly outputsDir: string) {
    this.volume = new OutputsVolume(outputsDir);
    this.status = {
      containerId: 'c1',
      version: '0.1.0',
      state: 'warm',
      pid: 1,
      trainerPid: 2,
      engine: 'cpu',
      device: 'test',
      deviceFacts: null,
      program: { kind: 'recipes' },
      heldMemory: null,
      restartNeeded: null,
      outputsDir,
      dataDir: outputsDir,
      startedAt: new Date(0).toISOString(),
      enter: { phases: [{ name: 'process start', scope: 'enter', startMs: 0, durationMs: 40 }], totalMs: 40 },
      run: null,
      queue: [],
      scaledownWindowMs: 300_000,
      idleRemainingMs: 300_000,
      runs: 0,
      rssBytes: 1,
      problem: null,
    };
  }

  client(): ContainerClient {
    return new ContainerClient(this, this.volume, 'test');
  }

  find(): Promise<Endpoint | undefined> {
    const address = this.server?.address();
    return Promise.resolve(
      typeof address === 'object' && address !== null
        ? { containerId: 'c1', url: `ws://127.0.0.1:${address.port}/`, token: 'token' }
        : undefined,
    );
  }

  async start(): Promise<Endpoint> {
    if (this.startError !== undefined) {
      throw this.startError;
    }
    await this.listen();
    const endpoint = await this.find();
    if (endpoint === undefined) {
      throw new Error('not listening');
    }
    return endpoint;
  }

  /** Lets it live without anybody starting it, as one of before a reload does. */
  async listen(): Promise<void> {
    if (this.server === undefined) {
      this.starts += 1;
      this.server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
      this.server.on('connection', (socket) =>
        socket.on('message', (data: Buffer) => void this.receive(socket, data)),
      );
      await once(this.server, 'listening');
    }
  }

  kill(): Promise<void> {
    this.die();
    return Promise.resolve();
  }

  async settle(): Promise<string[]> {
    return this.server === undefined ? settleInterruptedRuns(this.outputsDir, () => false) : [];
  }

  check(): Promise<Finding[]> {
    return Promise.resolve([]);
  }

  async dispose(): Promise<void> {
    // There is no connection to keep.
  }

  /** Ends at once, without a word. */
  die(): void {
    this.end((socket) => socket.terminate());
  }

  /** Resolves with the next request of that method. */
  async received(method: string): Promise<void> {
    await new Promise<void>((resolve) => this.waiting.set(method, resolve));
  }

  setStatus(change: Partial<ContainerStatus>): void {
    this.status = { ...this.status, ...change };
    this.notify('status', this.status);
  }

  /** Something happens in the run. */
  append(body: RunEventBody): void {
    const event = this.log?.append(body);
    this.notify('event', event);
  }

  async setRecord(change: Partial<RunRecord>): Promise<void> {
    if (this.run !== undefined) {
      this.run.record = { ...this.run.record, ...change };
      await this.volume.writeRecord(this.run.dir, this.run.record);
      this.notify('run', this.run.record);
    }
  }

  /** The run ends well. */
  async complete(valAcc: number): Promise<void> {
    const result = {
      status: 'completed',
      output: null,
      val_acc: valAcc,
      start: 'warm',
      time_to_first_step_ms: 5,
    } as const;
    this.append({ type: 'result', ...result });
    await this.setRecord({
      state: 'completed',
      result,
      best: { epoch: 1, val_acc: valAcc },
      endedAt: new Date().toISOString(),
    });
    this.setStatus({ state: 'warm', run: null, idleRemainingMs: 300_000 });
  }

  async close(): Promise<void> {
    this.die();
    this.log?.close();
    await Promise.resolve();
  }

  private end(how: (socket: WebSocket) => void): void {
    const { server } = this;
    this.server = undefined;
    server?.clients.forEach(how);
    server?.close();
  }

  private async receive(socket: WebSocket, data: Buffer): Promise<void> {
    const { id, method, params } = parse(requestSchema, JSON.parse(data.toString('utf8')), 'request');
    this.requests.push({ method, params });
    this.waiting.get(method)?.();
    const refusal = this.refusals.get(method);
    this.refusals.delete(method);
    const answer = refusal === undefined ? { result: await this.answer(method, params) } : { error: refusal };
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    const fatal = method === 'hello' ? this.fatal : undefined;
    if (fatal !== undefined) {
      this.setStatus({ state: 'cooling', problem: fatal });
    }
    if (method === 'cool' || fatal !== undefined) {
      this.end((other) => other.close(GOING_AWAY));
    }
  }

  private async answer(method: string, params: unknown): Promise<unknown> {
    switch (method) {
      case 'hello':
        return { protocol: parse(methods.hello.params, params, 'hello').protocol, status: this.status };
      case 'status':
        return this.status;
      case 'train': {
        const { recipe, params: values } = parse(methods.train.params, params, 'train');
        return { runId: await this.createRun(recipe, values) };
      }
      case 'attach': {
        const { runId, afterSeq } = parse(methods.attach.params, params, 'attach');
        for (const event of await this.volume.readRunEvents(runId, afterSeq)) {
          this.notify('event', event);
        }
        return {};
      }
      case 'pin':
        await this.setRecord({ pinned: parse(methods.pin.params, params, 'pin').pinned });
        return this.run?.record;
      default:
        return {};
    }
  }

  private async createRun(recipe: string, params: RunRecord['params']): Promise<string> {
    const { runId, dir } = await this.volume.createRun(recipe, new Date());
    const record: RunRecord = {
      schemaVersion: RUN_RECORD_VERSION,
      runId,
      recipe,
      params,
      engine: 'cpu',
      device: 'test',
      target: 'local',
      containerId: 'c1',
      start: 'warm',
      state: 'training',
      createdAt: new Date().toISOString(),
      checkpoints: [],
      pinned: false,
    };
    await this.volume.writeRecord(dir, record);
    this.run = { record, dir };
    this.log?.close();
    this.log = new EventLogWriter(join(dir, RUN_FILES.events), runId);
    this.append({ type: 'run', recipe, params, start: 'warm', containerId: 'c1' });
    this.append({ type: 'state', state: 'training' });
    this.notify('run', record);
    const run = { runId, recipe, epoch: 0, epochs: 3, step: 0, steps: 4, stalled: false };
    this.setStatus({ state: 'training', run, idleRemainingMs: null });
    return runId;
  }

  private notify(method: string, params: unknown): void {
    this.server?.clients.forEach((socket) => socket.send(JSON.stringify({ jsonrpc: '2.0', method, params })));
  }
}
