import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { ContainerClient } from '../../../src/client/containerClient';
import { ContainerConnection } from '../../../src/client/connection';
import { StartPhases } from '../../../src/targets/startPhases';
import { modalConfigSchema } from '../../../src/targets/modal/config';
import type { ModalTarget } from '../../../src/targets/modal/modalTarget';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { Following } from '../../container/support/following';
import { LONG, SHORT } from '../../container/support/place';
import { describeTarget } from '../contract';
import { TargetBench } from '../support/bench';
import { ModalPlace } from './support/modalPlace';
import { TOKEN } from './support/modalDouble';

describeTarget('Modal (by the double)', async () => {
  if (process.platform !== 'linux') {
    return undefined;
  }
  const place = await ModalPlace.make();
  return TargetBench.open({
    root: place.root,
    config: v.parse(modalConfigSchema, { kind: 'modal', name: 'cloud' }),
    deps: (slot) => ({ modalEnds: place.ends(slot) }),
    startPhases: ['image build', 'sandbox', 'code sent', 'start', 'connect', 'data sent'],
    // Without a sandbox there is no program on Modal that could look at a volume.
    nextSettles: true,
    close: () => place.dispose(),
  });
});

describe('a sandbox on Modal (by the double)', function () {
  let place: ModalPlace;

  before(function () {
    if (process.platform !== 'linux') {
      console.warn('      needs Linux: the double finds the processes of a sandbox in /proc');
      this.skip();
    }
  });

  beforeEach(async () => {
    place = await ModalPlace.make();
  });

  afterEach(async () => {
    await place.dispose();
  });

  const train = async (
    client: ContainerClient,
    values: typeof SHORT | typeof LONG = SHORT,
  ): Promise<Following> => {
    const options = place.options(values);
    return new Following(client, await client.train('classifier', options.hint.params, options));
  };
  const start = (target: ModalTarget) => target.start(place.options(), new StartPhases(performance.now()));
  /** Folder of the workspace's outputs on the volume. */
  const outputs = async (): Promise<string> => {
    const volume = place.double.volumeDir('cats-model-outputs');
    const [workspace = ''] = await readdir(volume);
    return join(volume, workspace);
  };

  it('starts in a sandbox as configured, trains over the tunnel, and is found again by another window', async () => {
    const logged: string[] = [];
    const client = place.client(place.target({ timeoutS: 600, gpu: 'L4' }));
    client.on('log', (text) => logged.push(text));
    const run = await train(client);
    await run.first('result');
    assert.deepEqual(
      client.starting?.phases.map(({ name }) => name),
      ['image build', 'sandbox', 'code sent', 'start', 'connect', 'data sent'],
    );
    const { definition } = place.double.last;
    assert.deepEqual(
      [definition.gpu, definition.timeoutS, definition.idleTimeoutS, definition.ports.length],
      ['L4', 600, 120, 1],
    );
    assert.deepEqual([...place.double.volumes.values()].sort(), ['cats-dataset', 'cats-model-outputs']);
    assert.match(place.double.images.flat().join('\n'), /FROM node:22\.[\d.]+-bookworm-slim/);
    assert.ok((await readdir(join(await outputs(), 'checkpoints', 'classifier'))).length > 0);

    const other = await place.target().find();
    assert.equal(place.double.sandboxes.length, 1);
    assert.ok(other !== undefined);
    await assert.rejects(
      ContainerConnection.open({ ...other, token: 'wrong' }, 'test'),
      /refused the token/,
      'the tunnel alone opens nothing',
    );
    const told = JSON.stringify([
      logged,
      run.events,
      definition.command,
      [...place.double.last.execs.values()].map(({ command }) => command),
    ]);
    for (const secret of [other.token, TOKEN.tokenId, TOKEN.tokenSecret]) {
      assert.ok(!told.includes(secret), 'a secret was told');
    }
  });

  it('is one for two windows that start it at once, is killed with its sandbox, and its code is sent once', async () => {
    const endpoints = await Promise.all([start(place.target()), start(place.target())]);
    assert.equal(endpoints[0].containerId, endpoints[1].containerId);
    assert.equal(place.double.sandboxes.length, 1);
    await place.target().kill();
    assert.notEqual(place.double.last.exitCode, undefined);
    assert.equal(await place.target().find(), undefined);
    const sentTo = join(place.double.volumeDir('cats-dataset'), '.tiny-cats', 'code');
    assert.equal((await readdir(sentTo)).length, 1);
    const phases = new StartPhases(performance.now());
    await place.target().start(place.options(), phases);
    assert.equal((await readdir(sentTo)).length, 1);
    const sent = [...place.double.last.execs.values()].filter(({ command }) => command[0] === 'sh');
    assert.equal(sent.length, 0, 'the second sandbox has the code from the volume');
  });

  it('is not idle while a run trains and no window is open, and ends its sandbox when it goes', async function () {
    // The keeper brings the volumes in step first, which takes what the disk takes: long after a large installation.
    this.timeout(240_000);
    const client = place.client();
    const run = await train(client, LONG);
    await run.first('epoch');
    client.dispose();
    assert.equal(await place.double.passIdleTime(), false, 'the keeper keeps it');
    const again = place.client();
    assert.equal(await again.connect(), true);
    await again.stop(run.runId, false);
    await again.cool();
    await place.double.last.ended;
    assert.equal(place.double.last.exitCode, 0);
    assert.equal(await place.target().find(), undefined);
  });

  it('loses nothing of a run whose sandbox is ended under it: the next one settles it', async () => {
    const client = place.client();
    const run = await train(client, LONG);
    await run.first('epoch');
    await place.double.last.end(124);
    assert.equal(await place.target().find(), undefined);
    assert.deepEqual(await place.target().settle(), []);
    const next = place.client();
    await next.start(place.options());
    const { runs } = await next.request('runs', {});
    const record = runs.find(({ runId }) => runId === run.runId);
    assert.equal(record?.state, 'failed');
    // Of what had been heard nothing is missing on the volume, and nothing has another number.
    const stored = await new OutputsVolume(await outputs()).readRunEvents(run.runId, 0);
    assert.deepEqual(stored.slice(0, run.events.length), run.events);
    assert.equal(place.double.sandboxes.length, 2);
  });
});
