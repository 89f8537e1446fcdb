import { join } from 'node:path';
import { enginesDir } from '../../targets/local/paths';
import type { Command } from '../command';
import { TENSORFLOW_PACKAGE, hasNvidiaGpu, installTensorflow, runProgram } from '../engineInstall';
import { CommandError, ExitCode, UsageError } from '../errors';
import { flag } from '../settings';
import { jsonLine, plain } from '../text';

const NEEDS =
  'It needs an NVIDIA GPU with a driver of version 450 or newer, CUDA 11.2 and cuDNN 8.1, on Linux or Windows with a ' +
  'x64 processor, and Node 20 or newer.';

export const installEngineCommand: Command = {
  name: 'install-engine',
  summary: 'Install the CUDA engine, "tensorflow", for containers on this machine',
  details: [
    `Installs ${TENSORFLOW_PACKAGE} with npm, for this user alone. npm’s install script downloads libtensorflow 2.9.1, ` +
      'several hundred megabytes.',
    NEEDS,
  ],
  positional: { name: 'ENGINE', required: false },
  options: [
    {
      spec: {
        name: 'force',
        type: 'boolean',
        default: false,
        description: 'Install also where no NVIDIA GPU was found',
      },
    },
  ],
  run: async ({ terminal, cwd }, { settings, given, positional = 'tensorflow' }) => {
    if (positional !== 'tensorflow') {
      throw new UsageError(
        `There is no engine ${JSON.stringify(positional)} to install: only "tensorflow"; "wasm" and "cpu" are built in.`,
      );
    }
    if (!flag(given, 'force') && !(await hasNvidiaGpu(runProgram, cwd))) {
      throw new CommandError(
        `No NVIDIA GPU was found (neither /proc/driver/nvidia/version nor nvidia-smi), so that the engine could not run here. ${NEEDS} Give --force to install it all the same.`,
      );
    }
    const dir = join(enginesDir(), 'tensorflow');
    terminal.message(
      `Installing ${TENSORFLOW_PACKAGE} in ${plain(dir)}. This downloads several hundred megabytes. ${NEEDS}`,
    );
    await installTensorflow(dir, runProgram);
    terminal.line(
      settings.json
        ? jsonLine({ engine: positional, dir })
        : 'Installed. The next container that starts with --engine auto or tensorflow uses it; "tiny-cats cool" ends the present one.',
    );
    return ExitCode.done;
  },
};
