import assert from 'node:assert/strict';
import { once } from 'node:events';
import { ContainerClient } from '../../src/client/containerClient';
import { ContainerServer, Parting } from '../../src/container/supervisor/server';
import { MAX_SILENCE_MS } from '../../src/protocol/heartbeat';
import { Following, range } from '../container/support/following';
import { LONG, Place } from '../container/support/place';
import { RawClient } from '../container/support/rawClient';
import { untilTrue } from '../container/support/waiting';
import { Chance } from './support/chance';
import { ChaosTarget } from './support/chaosTarget';
import { figure } from './support/figures';

const HEARTBEAT_MS = 100;
const MIN_CUTS = 40;

describe('a bad link', () => {
  let place: Place;
  let client: ContainerClient;
  let chaos: ChaosTarget;
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
    chaos = await ChaosTarget.open(place.target());
  });
  afterEach(async () => {
    chaos.close();
    await place.dispose();
  });

  it('that cuts, truncates and delays at random bytes: every event comes once and in order', async () => {
    const chance = new Chance('bad link');
    const run = await place.train(client, LONG);
    chaos.fate = () => ({
      lastByte: chance.between(100, 12_000),
      delayMs: () => chance.pick([0, 0, 0, 1, 20]),
    });
    const far = new ContainerClient(chaos, place.volume, 'far away');
    await untilTrue(() => far.connect().catch(() => false));
    const through = new Following(far, run.runId);
    await untilTrue(() => chaos.cuts >= MIN_CUTS && through.events.length > 100);
    await client.stop(run.runId, false);
    await run.result();
    await through.result();
    assert.deepEqual(through.seqs, range(1, run.events.length));
    assert.deepEqual(through.events, run.events);
    figure('cuts of the link', `${chaos.cuts} in ${run.events.length} events`);
    far.dispose();
  });

  it('that falls silent without closing: the client notices, comes back and misses nothing', async () => {
    const run = await place.train(client, LONG);
    const far = new ContainerClient(chaos, place.volume, 'far away', HEARTBEAT_MS);
    await far.connect();
    const through = new Following(far, run.runId);
    await through.first('epoch');
    const reconnecting = new Promise<void>((resolve) => {
      far.on('change', () => {
        if (far.link === 'reconnecting') {
          resolve();
        }
      });
    });
    chaos.silence();
    const silentAt = performance.now();
    await reconnecting;
    figure('half-open link noticed by the client', noticed(silentAt));
    await untilTrue(() => far.link === 'connected');
    const { epoch } = through.all('epoch').at(-1) ?? { epoch: 0 };
    await through.first('epoch', (next) => next.epoch > epoch);
    await client.stop(run.runId, false);
    await run.result();
    await through.result();
    assert.deepEqual(through.events, run.events);
    far.dispose();
  });

  it('that falls silent without closing: the container notices', async () => {
    let accepted = 0;
    let ended: Promise<unknown> | undefined;
    const server = await ContainerServer.listen(
      { port: 0 },
      'token',
      (socket) => {
        accepted += 1;
        ended = once(socket, 'close');
      },
      HEARTBEAT_MS,
    );
    const raw = await RawClient.connect(
      chaos.relayed({ containerId: 'c', url: `ws://127.0.0.1:${server.port}/`, token: 'token' }),
    );
    await untilTrue(() => accepted === 1);
    chaos.silence();
    const silentAt = performance.now();
    await ended;
    figure('half-open link noticed by the container', noticed(silentAt));
    raw.close();
    await server.close(Parting.ends);
  });

  it('that is down while the container is killed: the client knows afterwards that there is none', async () => {
    await client.start(place.options());
    const far = new ContainerClient(chaos, place.volume, 'far away');
    await far.connect();
    chaos.close();
    await untilTrue(() => far.link === 'reconnecting');
    await far.kill();
    assert.equal(far.link, 'none');
    far.dispose();
  });

  it('is noticed within 15 s with the heartbeat that is in use', () => {
    assert.ok(MAX_SILENCE_MS <= 15_000);
    figure('half-open link noticed, at most', `${MAX_SILENCE_MS / 1000} s`);
  });
});

function noticed(silentAt: number): string {
  return `${Math.round(performance.now() - silentAt)} ms with a heartbeat of ${HEARTBEAT_MS} ms`;
}
