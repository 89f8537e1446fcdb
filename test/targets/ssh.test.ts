import { describeTarget } from './contract';
import { TargetBench, newRoot } from './support/bench';
import { box } from './support/box';
import { Sshd, sshdObstacle } from './support/sshd';

const obstacle = sshdObstacle();

if (obstacle === undefined) {
  describeTarget('an SSH box', async () => {
    const root = await newRoot();
    const sshd = await Sshd.start();
    return TargetBench.open({
      root,
      config: box(root),
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
