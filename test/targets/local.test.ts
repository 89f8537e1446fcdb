import { LOCAL_TARGET } from '../../src/targets/config';
import { describeTarget } from './contract';
import { TargetBench } from './support/bench';

describeTarget('this machine', () =>
  TargetBench.open({ config: LOCAL_TARGET, startPhases: ['process start'] }),
);
