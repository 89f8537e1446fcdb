import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { runRecordSchema } from '../../src/protocol/run';
import { OutputsVolume } from '../../src/volume/outputsVolume';
import { LONG, SHORT, Workplace, resultOf } from './cliWorkplace';

describe('tiny-cats, when a run was broken off', () => {
  const workplace = new Workplace();
  before(() => workplace.imageFolder('images'));
  after(() => workplace.dispose());

  it('goes on with it: the newest such run, or the one that is named', async () => {
    const nothing = await workplace.run('resume');
    assert.equal(nothing.code, 1);
    assert.match(
      nothing.stderr,
      /There is no run in .* that failed or was stopped and has a last checkpoint/,
    );

    const epochs = ['--epochs', '40', '--image-size', '16'];
    const broken = workplace.start('train', '--data-dir', 'images', ...epochs);
    await broken.until(/Epoch +3\/40/);
    await workplace.run('stop');
    assert.equal((await broken.finished).code, 130);

    const resumed = await workplace.run('resume');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /Goes on after epoch \d+.*last\.safetensors/);
    assert.doesNotMatch(resumed.stdout, /Epoch +1\/40/);
    assert.match(resumed.stdout, /Epoch +40\/40/);

    const unknown = await workplace.run('resume', '20200101-000000-abcdef');
    assert.match(unknown.stderr, /There is no run "20200101-000000-abcdef"/);
  });

  it('leaves a run of a newer version as it is, and says that it is one', async () => {
    const [run] = await workplace.json(v.array(runRecordSchema), 'runs');
    assert.ok(run);
    const dir = await new OutputsVolume(join(workplace.cwd, 'outputs')).findRun(run.runId);
    const file = join(dir ?? '', 'run.json');
    const newer = (await readFile(file, 'utf8')).replace('"schemaVersion": 1', '"schemaVersion": 99');
    await writeFile(file, newer);
    for (const command of ['resume', 'rerun']) {
      const refused = await workplace.run(command, run.runId);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /is of a newer version of Tiny Cats/);
    }
    assert.equal(await readFile(file, 'utf8'), newer);
  });

  it('waits for the run that has the container, if it is told to', async () => {
    const first = workplace.start('train', '--data-dir', 'images', ...LONG);
    await first.until(/Epoch +1\//);
    const refused = await workplace.run('train', '--data-dir', 'images', ...SHORT, '--json');
    assert.equal(resultOf(refused).error?.code, 'busy');
    assert.match(refused.stderr, /--queue waits for it/);

    const second = workplace.start('train', '--data-dir', 'images', ...SHORT, '--queue', '--json');
    await second.until(/"state":"queued","message":"Waits for run/);
    assert.match((await workplace.run('status')).stdout, /^Queue +1 run: /m);
    await workplace.run('stop');
    await first.finished;
    const { status } = resultOf(await second.finished);
    assert.equal(status, 'completed');
  });
});
