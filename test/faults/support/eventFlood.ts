/**
 * A container's supervisor without its trainer: real server, sessions and log, in the folder that is its argument. Told `flood`, it appends events to a new
 * run as fast as it can and says what that has cost.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as v from 'valibot';
import type { ActiveRun } from '../../../src/container/supervisor/activeRun';
import { RunDesk } from '../../../src/container/supervisor/runDesk';
import { ContainerServer } from '../../../src/container/supervisor/server';
import type { Handlers } from '../../../src/container/supervisor/session';
import { Session } from '../../../src/container/supervisor/session';
import { containerStatusSchema } from '../../../src/protocol/container';
import type { RunRecord } from '../../../src/protocol/run';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import type { FloodReport, TellReport } from './floodMessages';

const orderSchema = v.variant('type', [
  v.object({ type: v.literal('open') }),
  v.object({ type: v.literal('flood'), events: v.number() }),
  v.object({ type: v.literal('tell'), times: v.number() }),
  v.object({ type: v.literal('heap') }),
]);

/** How often the flood lets the sockets have their turn, as a trainer's messages would. */
const EVENTS_A_TURN = 20;
const EVENTS_AN_EPOCH = 100;
const HEARTBEAT_MS = 600_000;
/** So many records are some 300 KiB. */
const LISTED = 500;

const volume = new OutputsVolume(process.argv[2] ?? '');
const sessions = new Set<Session>();
let run: ActiveRun | undefined;

function unused(): never {
  throw new Error('not in this test');
}

const handlers: Handlers = {
  status: () =>
    v.parse(containerStatusSchema, {
      ...{ containerId: 'flood', version: '0', state: 'training', pid: process.pid, trainerPid: null },
      ...{
        engine: '',
        device: '',
        deviceFacts: null,
        program: { kind: 'recipes' },
        heldMemory: null,
        restartNeeded: null,
        outputsDir: volume.root,
        dataDir: '',
        startedAt: '',
        run: null,
        queue: [],
      },
      ...{ enter: { phases: [], totalMs: null }, scaledownWindowMs: 1000, idleRemainingMs: null, runs: 0 },
      ...{ rssBytes: process.memoryUsage.rss(), problem: null },
    }),
  source: () => (run === undefined ? unused() : Promise.resolve(run.source)),
  train: unused,
  stop: unused,
  runs: () => (run === undefined ? unused() : { runs: new Array<RunRecord>(LISTED).fill(run.record) }),
  pin: unused,
  configure: unused,
  cool: unused,
  keepWarm: unused,
  freeze: unused,
};

async function open(): Promise<string> {
  const desk = new RunDesk(volume);
  const facts = {
    recipe: 'classifier',
    params: {},
    target: 'local',
    containerId: 'flood',
    start: 'warm',
  } as const;
  run = await desk.open(
    { ...facts, askedAt: Date.now(), resumedDir: null, program: { kind: 'recipes' } },
    {
      appended: (event) => sessions.forEach((session) => session.wake(event.runId)),
      recordChanged: (record) => sessions.forEach((session) => session.notify('run', record)),
      volumeFailed: (_run, error) => {
        throw error;
      },
    },
  );
  return run.runId;
}

async function flood(events: number): Promise<FloodReport> {
  if (run === undefined) {
    return unused();
  }
  globalThis.gc?.();
  const rssBeforeBytes = process.memoryUsage.rss();
  let rssMostBytes = rssBeforeBytes;
  let heldHalfBytes = 0;
  const cpu = process.cpuUsage();
  for (let index = 1; index <= events; index += 1) {
    const epoch = Math.ceil(index / EVENTS_AN_EPOCH);
    if (index % EVENTS_AN_EPOCH === 0) {
      run.append({
        type: 'checkpoint',
        kind: 'last',
        file: 'last.safetensors',
        bytes: 9,
        epoch,
        val_acc: 0.5,
      });
      sessions.forEach((session) =>
        session.notify('status', v.parse(containerStatusSchema, handlers.status({}))),
      );
    } else {
      const step = index % EVENTS_AN_EPOCH;
      run.append({
        ...{ type: 'step', epoch, epochs: 10_000, step, steps: EVENTS_AN_EPOCH },
        ...{ loss: 1 / index, lr: 0.001, images_per_second: 1000 },
      });
    }
    if (index % EVENTS_A_TURN === 0) {
      await nextTurn();
      rssMostBytes = Math.max(rssMostBytes, process.memoryUsage.rss());
    }
    if (index === events / 2) {
      heldHalfBytes = held();
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    ...{ runId: run.runId, events, cpuMs: (user + system) / 1000, rssBeforeBytes, rssMostBytes },
    ...{ heldHalfBytes, heldEndBytes: held() },
  };
}

/** What the process keeps, in its heap and in buffers outside of it. */
function held(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Tells every client the status, so often. */
async function tell(times: number): Promise<TellReport> {
  globalThis.gc?.();
  const rssBeforeBytes = process.memoryUsage.rss();
  let rssMostBytes = rssBeforeBytes;
  const status = v.parse(containerStatusSchema, handlers.status({}));
  for (let index = 1; index <= times; index += 1) {
    sessions.forEach((session) => session.notify('status', { ...status, runs: index }));
    if (index % EVENTS_A_TURN === 0) {
      await nextTurn();
      rssMostBytes = Math.max(rssMostBytes, process.memoryUsage.rss());
    }
  }
  return { rssBeforeBytes, rssMostBytes, clients: sessions.size };
}

async function act(
  order: v.InferOutput<typeof orderSchema>,
): Promise<string | number | FloodReport | TellReport> {
  switch (order.type) {
    case 'open':
      return open();
    case 'flood':
      return flood(order.events);
    case 'tell':
      return tell(order.times);
    case 'heap':
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
  }
}

async function main(): Promise<void> {
  const server = await ContainerServer.listen(
    { port: 0 },
    'token',
    (socket) => {
      const session = new Session(socket, handlers);
      sessions.add(session);
      socket.once('close', () => sessions.delete(session));
    },
    HEARTBEAT_MS,
  );
  process.on('message', (message: unknown) => {
    const order = v.parse(orderSchema, message);
    void act(order).then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ url: `ws://127.0.0.1:${server.port}/`, token: 'token' });
}

void main();
