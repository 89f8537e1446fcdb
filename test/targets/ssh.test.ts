import { describeTarget } from './contract';
import { TargetBench, newRoot } from './support/bench';
import { box } from './support/box';
import { Sshd, sshdObstacle } from './support/sshd';

describeTarget('an SSH box', async () => {
  const obstacle = sshdObstacle();
  if (obstacle !== undefined) {
    console.log(`      not tested here: ${obstacle}`);
    return undefined;
  }
  const root = await newRoot();
  const sshd = await Sshd.start();
  const sshProgram = await sshd.client();
  return TargetBench.open({
    root,
    config: box(root),
    deps: () => ({ sshProgram }),
    startPhases: ['ssh connection', 'code sent', 'start', 'connect', 'process start', 'data sent'],
    close: () => sshd.stop(),
  });
});
