import { join } from 'node:path';
import { parseTargets } from '../../src/targets/config';
import { describeTarget } from './contract';
import { TargetBench, newRoot } from './support/bench';
import { Sshd, sshdObstacle } from './support/sshd';

const obstacle = sshdObstacle();

if (obstacle === undefined) {
  describeTarget('an SSH box', async () => {
    const root = await newRoot();
    const sshd = await Sshd.start();
    const [config] = parseTargets([
      { name: 'box', kind: 'ssh', host: 'box', folder: join(root, "far side 'ü'") },
    ]);
    if (config === undefined) {
      throw new Error('no target');
    }
    return TargetBench.open({
      root,
      config,
      deps: { sshProgram: await sshd.client() },
      startPhases: ['ssh connection', 'code sent', 'start', 'connect', 'process start', 'data sent'],
      close: () => sshd.stop(),
    });
  });
} else {
  describe('a container on an SSH box', () => {
    it(`is not tested here: ${obstacle}`, function () {
      this.skip();
    });
  });
}
