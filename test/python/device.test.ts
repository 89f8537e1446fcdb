import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { needsPython } from './support/interpreters';
import { pathWithFakeNvidiaSmi } from './support/nvidiaSmi';
import { Folder, PythonTrainer } from './support/trainer';

describe('a GPU', () => {
  it('is told of with its driver and memory, and how busy it is while training', async function () {
    const python = needsPython(this);
    const nvml = 'import ctypes; ctypes.CDLL("libnvidia-ml.so.1")';
    if (spawnSync(python, ['-c', nvml], { stdio: 'ignore' }).status === 0) {
      console.log('    skipped: there is a real GPU, whose figures no test can know');
      this.skip();
    }
    const folder = new Folder({ 't.py': 'import time\n\n\ndef train():\n    time.sleep(2.5)\n' });
    mkdirSync(folder.outputsDir, { recursive: true });
    const program = { kind: 'python', interpreter: python, folder: folder.path, entrypoint: 't.py:train' };
    const env = { PATH: pathWithFakeNvidiaSmi(folder.file('bin')) };
    const trainer = new PythonTrainer(python, folder, program, env);
    const ready = (await trainer.ready()).find(({ type }) => type === 'ready');
    assert.match(JSON.stringify(ready?.deviceFacts), /"Tesla T4".*"driver":"535\.104\.05"/);
    const run = await trainer.run();
    run.assertStatus('completed');
    const [device] = run.events('device');
    const total = 15360 * 2 ** 20;
    assert.deepEqual(device, {
      type: 'device',
      utilisation: 0.8,
      memoryUsedBytes: 2048 * 2 ** 20,
      memoryTotalBytes: total,
    });
    await trainer.dispose();
  });
});
