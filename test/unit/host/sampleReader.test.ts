import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePng } from '../../../src/container/data/pngEncode';
import { readSample } from '../../../src/host/panel/sampleReader';
import { OutputsVolume } from '../../../src/volume/outputsVolume';

describe('pictures for the panel', () => {
  let root = '';
  let volume: OutputsVolume;
  let runId = '';
  const picture = encodePng(1, 1, Uint8Array.of(1, 2, 3));

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'samples-'));
    volume = new OutputsVolume(root);
    const run = await volume.createRun('dit', new Date());
    runId = run.runId;
    await writeFile(join(run.dir, 'run.json'), '{}');
    await mkdir(join(run.dir, 'samples'));
    await writeFile(join(run.dir, 'samples', 'step-000001.png'), picture);
    await writeFile(join(run.dir, 'samples', 'step-000002.png'), '<svg onload="x">');
    await writeFile(join(root, 'secret.png'), picture);
    await symlink(join(root, 'secret.png'), join(run.dir, 'samples', 'step-000003.png'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('are read as data URLs', async () => {
    const url = await readSample(volume, runId, 'samples/step-000001.png');
    assert.equal(url, `data:image/png;base64,${picture.toString('base64')}`);
  });

  it('are only those of the run, and only pictures', async () => {
    for (const file of [
      'samples/step-000002.png',
      'samples/step-000003.png',
      'samples/step-000004.png',
      'samples/../run.json',
      '../../../../secret.png',
      'run.json',
    ]) {
      assert.equal(await readSample(volume, runId, file), null, file);
    }
    assert.equal(await readSample(volume, '20250101-000000-abcdef', 'samples/step-000001.png'), null);
  });
});
