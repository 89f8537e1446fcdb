import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CliProcess, SHORT, Workplace, resultOf } from './cliWorkplace';

describe('tiny-cats, with a container of another version', () => {
  const workplace = new Workplace();
  let container: CliProcess;
  before(async () => {
    const outputsDir = join(workplace.cwd, 'outputs');
    mkdirSync(outputsDir);
    container = new CliProcess(
      spawn(
        process.execPath,
        ['--import', 'tsx', resolve('test/container/otherVersionContainer.ts'), outputsDir],
        {
          env: { ...process.env, TINY_CATS_HOME: workplace.home },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ),
    );
    await container.until(/listening/);
  });
  after(async () => {
    container.child.kill();
    await workplace.dispose();
  });

  it('says what to do, and "cool" does it', async () => {
    const refused = await workplace.run('train', ...SHORT, '--json');
    assert.equal(refused.code, 1);
    assert.equal(resultOf(refused).error?.code, 'protocol');
    assert.match(refused.stderr, /Run "tiny-cats cool"/);
    assert.equal((await workplace.run('status')).code, 1);

    const cooled = await workplace.run('cool');
    assert.equal(cooled.code, 0, cooled.stderr);
    assert.match(cooled.stdout, /killed/);
    await container.finished;
    assert.equal((await workplace.run('status', '--json')).stdout, '{"state":"cold"}\n');
  });
});
