import type { Command } from '../command';
import { coolCommand } from './cool';
import { doctorCommand } from './doctor';
import { evalCommand } from './eval';
import { exportModalCommand } from './exportModal';
import { inspectCommand } from './inspect';
import { installEngineCommand } from './installEngine';
import { rerunCommand } from './rerun';
import { resumeCommand } from './resume';
import { runsCommand } from './runs';
import { sampleCommand } from './sample';
import { snapshotCommand } from './snapshot';
import { statusCommand } from './status';
import { stopCommand } from './stop';
import { sweepCommand } from './sweep';
import { sweepsCommand } from './sweeps';
import { targetsCommand } from './targets';
import { trainCommand } from './train';
import { warmCommand } from './warm';

/** In the order of the help. */
export const COMMANDS: readonly Command[] = [
  trainCommand,
  rerunCommand,
  resumeCommand,
  stopCommand,
  statusCommand,
  warmCommand,
  coolCommand,
  snapshotCommand,
  sweepCommand,
  sweepsCommand,
  runsCommand,
  inspectCommand,
  evalCommand,
  sampleCommand,
  targetsCommand,
  doctorCommand,
  installEngineCommand,
  exportModalCommand,
];
