import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../../src/protocol/events';
import { readEvents } from '../../src/volume/eventLog';
import { RUN_FILES } from '../../src/volume/outputsVolume';
import { range } from '../container/support/following';
import { makeImages } from '../container/support/place';
import { until, untilTrue } from '../container/support/waiting';
import { TargetBench, newRoot } from './support/bench';
import { box, farFolder } from './support/box';
import { CuttableLink } from './support/cuttableLink';
import { Sshd, sshdObstacle } from './support/sshd';
import { Veth } from './support/veth';

const EPOCHS = 40;
const PARAMS = { epochs: EPOCHS, warmup_epochs: 0, batch_size: 8, image_size: 16, lr: 0.001, seed: 7 };
const obstacle = sshdObstacle();

/** A way to an sshd that can be cut in the middle. */
interface Way {
  sshd: Sshd;
  /** Port of the way, where it is not the sshd's. */
  port?: number;
  cut(): unknown;
  restore(): unknown;
  close(): unknown;
}

/** Loopback, through a proxy that goes silent; connections of before the cut never come back. */
async function overProxy(): Promise<Way> {
  const sshd = await Sshd.start();
  const link = await CuttableLink.to(sshd.port);
  return {
    sshd,
    port: link.port,
    cut: () => link.cut(),
    restore: () => link.restore(),
    close: () => link.close(),
  };
}

/** An sshd in a network namespace of its own, over a link that goes down and up again. */
async function overVeth(): Promise<Way | undefined> {
  const veth = await Veth.make();
  if (veth === undefined) {
    return undefined;
  }
  const sshd = await Sshd.start({ address: veth.address, prefix: veth.prefix });
  return { sshd, cut: () => veth.cut(), restore: () => veth.restore(), close: () => veth.close() };
}

describeCut('that goes silent', overProxy);
describeCut('whose network goes down', overVeth);

function describeCut(what: string, makeWay: () => Promise<Way | undefined>): void {
  describe(`a link by SSH ${what} in the middle of a run`, function () {
    this.timeout(120_000);
    let bench: TargetBench;
    let link: Way;
    const close: (() => unknown)[] = [];
    before(async function () {
      if (obstacle !== undefined) {
        console.log(`      not tested here: ${obstacle}`);
        this.skip();
      }
      const way = await makeWay();
      if (way === undefined) {
        this.skip();
      }
      link = way;
      close.push(
        () => way.sshd.stop(),
        () => way.close(),
      );
      const root = await newRoot();
      const sshProgram = await way.sshd.client(way.port);
      bench = await TargetBench.open({
        root,
        config: box(root),
        deps: () => ({ sshProgram }),
        startPhases: [],
      });
      close.unshift(() => bench.dispose());
      await makeImages(bench.images, { cat: 8, other: 8 });
    });
    after(async () => {
      for (const one of close) {
        await one();
      }
    });

    it('and restored: the run has gone on, each event comes once and in order, the result is the same', async () => {
      const client = bench.client();
      const undisturbed = await bench.train(client, PARAMS);
      await undisturbed.result();

      const seen = new Set<string>();
      const died: string[][] = [];
      client.on('change', () => seen.add(client.link));
      client.on('died', (runIds) => died.push(runIds));
      const run = await bench.train(client, PARAMS);
      await run.first('epoch');
      await link.cut();
      const heard = run.events.length;
      const there = async (): Promise<RunEvent[]> => readEvents(await farLog(bench.root, run.runId));
      await untilTrue(() => client.link === 'reconnecting');
      const far = await until(async () => {
        const events = await there();
        return events.length > heard + 20 ? events : undefined;
      });
      assert.ok(run.events.length < far.length, 'the run went on without us');
      assert.equal(client.problem, null);
      assert.ok(client.status !== undefined, 'what was known of the container stays');
      await link.restore();

      const result = await run.result();
      assert.equal(result.status, 'completed', result.error?.message);
      assert.deepEqual(run.seqs, range(1, run.events.length));
      assert.deepEqual(run.events, await there());
      assert.deepEqual(curves(run.events), curves(undisturbed.events));
      assert.equal(result.val_acc, undisturbed.all('result')[0]?.val_acc);
      assert.ok(!seen.has('none'), [...seen].join(', '));
      assert.deepEqual(died, []);
      await untilTrue(() => client.link === 'connected');
      await client.mirrored();
      assert.deepEqual(await client.volume.readRunEvents(run.runId, 0), run.events);
    });
  });
}

/** What was learnt, without what depends on the clock. */
function curves(events: readonly RunEvent[]): unknown[] {
  return events.flatMap((event) =>
    event.type === 'epoch' ? [[event.epoch, event.train_loss, event.val_loss, event.val_acc]] : [],
  );
}

/** The run's log on the far side. */
async function farLog(root: string, runId: string): Promise<string> {
  const folder = farFolder(root);
  const names = await readdir(folder, { recursive: true });
  const found = names.find((name) => name.endsWith(join(runId, RUN_FILES.events)));
  assert.ok(found !== undefined, `run ${runId} is not on the far side`);
  return join(folder, found);
}
