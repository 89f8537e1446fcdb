import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { needsPython } from './support/interpreters';
import { Folder, PythonTrainer } from './support/trainer';

/** A fake of NVIDIA's program, which needs a GPU: it says what the real one says to the same question. */
const FAKE_NVIDIA_SMI = `#!/bin/sh
echo "37, 1024, 15360, 535.104.05, Tesla T4"
case "$*" in *--loop*) while sleep 0.2; do echo "80, 2048, 15360, 535.104.05, Tesla T4"; done;; esac
`;

describe('a GPU', () => {
  it('is told of with its driver and memory, and how busy it is while training', async function () {
    const python = needsPython(this);
    const nvml = 'import ctypes; ctypes.CDLL("libnvidia-ml.so.1")';
    if (spawnSync(python, ['-c', nvml], { stdio: 'ignore' }).status === 0) {
      console.log('    skipped: there is a real GPU, whose figures no test can know');
      this.skip();
    }
    const folder = new Folder({
      't.py': 'import time\n\n\ndef train():\n    time.sleep(2.5)\n',
      'bin/nvidia-smi': FAKE_NVIDIA_SMI,
    });
    chmodSync(folder.file('bin/nvidia-smi'), 0o755);
    mkdirSync(folder.outputsDir, { recursive: true });
    const program = { kind: 'python', interpreter: python, folder: folder.path, entrypoint: 't.py:train' };
    const env = { PATH: `${folder.file('bin')}:${process.env.PATH ?? ''}` };
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
