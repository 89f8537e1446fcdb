import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '../src/client/containerClient';
import { encodePng } from '../src/container/data/pngEncode';
import { LOCAL_TARGET } from '../src/targets/config';
import { SHORT, TargetBench, newRoot } from '../test/targets/support/bench';
import { box } from '../test/targets/support/box';
import { Sshd, sshdObstacle } from '../test/targets/support/sshd';
import { median } from './statistics';

const IMAGES = 5000;
const SIDE = 32;

export interface SshFigures {
  /** Asking for another run to hearing of its first step, over a real sshd on loopback. */
  readonly warmMs: number;
  /** The same on this machine. */
  readonly localWarmMs: number;
  /** The median of the rounds' differences. */
  readonly overLocalMs: number;
  readonly images: number;
  /** Sending them for the first time. */
  readonly sendMs: number;
  /** Finding out that nothing has changed. */
  readonly unchangedMs: number;
}

/** What a container on an SSH box costs over one on this machine; undefined, after a notice, without an sshd. */
export async function measureSsh(
  rounds: number,
  progress: (text: string) => void,
): Promise<SshFigures | undefined> {
  const obstacle = sshdObstacle();
  if (obstacle !== undefined) {
    progress(`SSH is not measured: ${obstacle}`);
    return undefined;
  }
  const local = await TargetBench.open({ config: LOCAL_TARGET, startPhases: [] });
  const localMs: number[] = [];
  const root = await newRoot();
  const sshd = await Sshd.start();
  const sshProgram = await sshd.client();
  const far = await TargetBench.open({
    root,
    config: box(root),
    deps: () => ({ sshProgram }),
    startPhases: [],
    close: () => sshd.stop(),
  });
  try {
    const [here, there] = [local.client(), far.client()];
    const farMs: number[] = [];
    for (let round = -1; round < rounds; round += 1) {
      const [one, other] = [await firstStepMs(local, here), await firstStepMs(far, there)];
      // The first ones are cold.
      if (round >= 0) {
        localMs.push(one);
        farMs.push(other);
      }
    }
    await drawImages(far.images);
    const sending = [await sentMs(far, there), await sentMs(far, there)];
    return {
      warmMs: median(farMs),
      localWarmMs: median(localMs),
      overLocalMs: median(farMs.map((ms, round) => ms - (localMs[round] ?? 0))),
      images: IMAGES,
      sendMs: sending[0] ?? NaN,
      unchangedMs: sending[1] ?? NaN,
    };
  } finally {
    await local.dispose();
    await far.dispose();
  }
}

async function firstStepMs(bench: TargetBench, client: ContainerClient): Promise<number> {
  const askedAt = performance.now();
  const run = await bench.train(client, { ...SHORT, data_dir: 'sample' });
  await run.first('first_step');
  const heardAt = performance.now();
  await run.result();
  await client.mirrored();
  run.dispose();
  return heardAt - askedAt;
}

/** How long a run's data took to be sent. */
async function sentMs(bench: TargetBench, client: ContainerClient): Promise<number> {
  const run = await bench.train(client, SHORT);
  const { phase } = await run.first('phase', (event) => event.phase.name === 'data sent');
  await client.stop(run.runId, false);
  await run.result();
  run.dispose();
  return phase.durationMs;
}

/** Images of noise, which do not get smaller on the way. */
async function drawImages(folder: string): Promise<void> {
  for (const name of ['cat', 'other']) {
    await mkdir(join(folder, name), { recursive: true });
    for (let image = 0; image < IMAGES / 2; image += 1) {
      const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => Math.random() * 256);
      await writeFile(join(folder, name, `${image}.png`), encodePng(SIDE, SIDE, pixels));
    }
  }
}
