import { join } from 'node:path';
import { enginesDir } from '../../targets/local/paths';
import type { Command } from '../command';
import { INSTALLABLE, hasNvidiaGpu, installEngine, runProgram } from '../engineInstall';
import { CommandError, ExitCode, UsageError } from '../errors';
import { flag } from '../settings';
import { jsonLine, plain } from '../text';

export const installEngineCommand: Command = {
  name: 'install-engine',
  summary: 'Install a GPU engine for containers on this machine: "tensorflow" (CUDA) or "webgpu"',
  details: [
    'Installs with npm, for this user alone; "tensorflow" unless another is named.',
    ...INSTALLABLE.map(
      ({ name, packages, download, needs }) => `${name}: ${packages.join(', ')}. ${download} ${needs}`,
    ),
  ],
  positional: { name: 'ENGINE', required: false },
  options: [
    {
      spec: {
        name: 'force',
        type: 'boolean',
        default: false,
        description: 'Install "tensorflow" also where no NVIDIA GPU was found',
      },
    },
  ],
  run: async ({ terminal, cwd }, { settings, given, positional = 'tensorflow' }) => {
    const engine = INSTALLABLE.find(({ name }) => name === positional);
    if (engine === undefined) {
      throw new UsageError(
        `There is no engine ${JSON.stringify(positional)} to install: only "tensorflow" and "webgpu"; "wasm" and "cpu" are built in.`,
      );
    }
    const { name, packages, download, needs } = engine;
    if (name === 'tensorflow' && !flag(given, 'force') && !(await hasNvidiaGpu(runProgram, cwd))) {
      throw new CommandError(
        `No NVIDIA GPU was found (neither /proc/driver/nvidia/version nor nvidia-smi), so that the engine could not run here. ${needs} Give --force to install it all the same.`,
      );
    }
    const dir = join(enginesDir(), name);
    terminal.message(`Installing ${packages.join(', ')} in ${plain(dir)}. ${download} ${needs}`);
    await installEngine(engine, dir, runProgram);
    terminal.line(
      settings.json
        ? jsonLine({ engine: name, dir })
        : `Installed. The next container that starts with --engine auto or ${name} uses it if it can ("tiny-cats doctor" says so); "tiny-cats cool" ends the present one.`,
    );
    return ExitCode.done;
  },
};
