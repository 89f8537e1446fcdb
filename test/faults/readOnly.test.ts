import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Following, range } from '../container/support/following';
import { LONG, Place } from '../container/support/place';
import { untilStatus, untilTrue } from '../container/support/waiting';
import { wholeEvents } from './support/comparison';
import { figure } from './support/figures';

const run = promisify(execFile);
const VOLUME_BYTES = 64 * 1024 * 1024;

/** A file system in a file, which can be told that its disk has failed. */
class FailingDisk {
  private device = '';

  private constructor(
    private readonly image: string,
    private readonly at: string,
  ) {}

  /** @returns undefined where this user may not mount one */
  static async mount(image: string, at: string): Promise<FailingDisk | undefined> {
    const disk = new FailingDisk(image, at);
    await writeFile(image, '');
    await truncate(image, VOLUME_BYTES);
    await mkdir(at, { recursive: true });
    try {
      await run('mkfs.ext4', ['-q', image]);
      await disk.mountIt();
    } catch {
      return undefined;
    }
    const controls = await readdir(disk.controls).catch((): string[] => []);
    if (controls.includes('trigger_fs_error')) {
      return disk;
    }
    await run('umount', [at]);
    return undefined;
  }

  /** From here on it can only be read, whatever is open. */
  async fail(): Promise<void> {
    await writeFile(join(this.controls, 'trigger_fs_error'), '1');
  }

  async repair(): Promise<void> {
    // While a file of it is open, the next mount would be of the failed one.
    await this.unmount();
    // It tells what it has mended by its exit code.
    await run('e2fsck', ['-fy', this.image]).catch(() => undefined);
    await this.mountIt();
  }

  async unmount(): Promise<void> {
    await untilTrue(() =>
      run('umount', [this.at]).then(
        () => true,
        () => false,
      ),
    );
  }

  private get controls(): string {
    return `/sys/fs/ext4/${this.device}`;
  }

  private async mountIt(): Promise<void> {
    // What was written is there: this is not about a machine that went down.
    await run('mount', ['-o', 'loop,sync,errors=remount-ro', this.image, this.at]);
    const { stdout } = await run('findmnt', ['-n', '-o', 'SOURCE', this.at]);
    this.device = basename(stdout.trim());
  }
}

describe('an outputs volume whose disk fails in mid-run', () => {
  let place: Place;
  let disk: FailingDisk | undefined;
  before(async function () {
    place = await Place.make();
    disk = await FailingDisk.mount(join(place.root, 'disk.img'), place.outputsDir);
    if (disk === undefined) {
      figure('failing disk', 'not tested: it needs the right to mount a file system from a file');
      this.skip();
    }
  });
  after(async () => {
    await place.target().kill();
    await disk?.unmount();
    await place.dispose();
  });

  it('ends the run with a message, and stores that end once it can', async () => {
    assert.ok(disk);
    const client = place.client();
    const { runId } = await place.train(client, LONG);
    const broken = new Following(client, runId);
    await broken.first('checkpoint', ({ kind }) => kind === 'last');
    await disk.fail();
    const { status, error } = await broken.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'volume');
    assert.match(error.message, /cannot be written \(EROFS.*make it writable/);
    assert.deepEqual(broken.seqs, range(1, broken.events.length));
    await untilStatus(client, (next) => next.run === null);
    const listed = (await client.request('runs', {})).runs.find((record) => record.runId === runId);
    assert.equal(listed?.state, 'failed');
    await assert.rejects(place.train(client), /cannot be written \(EROFS.*make it writable/);

    await disk.repair();
    const next = await place.train(client);
    const ended = await next.result();
    assert.equal(ended.status, 'completed', ended.error?.message);
    assert.equal(ended.start, 'warm');
    const dir = await place.runDir(runId);
    await untilTrue(async () => (await place.volume.readRecord(dir))?.state === 'failed');
    assert.equal((await wholeEvents(dir)).at(-1)?.type, 'result');
  });
});
