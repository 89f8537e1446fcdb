import { spawn } from 'node:child_process';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from './errors';

/** An engine that npm installs. */
export interface InstallableEngine {
  readonly name: 'tensorflow' | 'webgpu';
  readonly packages: readonly string[];
  /** What npm downloads. */
  readonly download: string;
  readonly needs: string;
  /** What to look at where npm fails. */
  readonly advice: string;
}

export const INSTALLABLE: readonly InstallableEngine[] = [
  {
    name: 'tensorflow',
    packages: ['@tensorflow/tfjs-node-gpu@4.22.0'],
    download: 'npm’s install script downloads libtensorflow 2.9.1, several hundred megabytes.',
    needs:
      'It needs an NVIDIA GPU with a driver of version 450 or newer, CUDA 11.2 and cuDNN 8.1, on Linux or Windows with a ' +
      'x64 processor, and Node 20 or newer.',
    advice:
      'Its install script downloads libtensorflow from storage.googleapis.com: check the network and the proxy, ' +
      'or name a mirror with TFJS_NODE_CDN_STORAGE, then try again.',
  },
  {
    name: 'webgpu',
    packages: ['webgpu@0.6.2', '@tensorflow/tfjs-backend-webgpu@4.22.0', '@tensorflow/tfjs-core@4.22.0'],
    download: 'The packages hold Dawn for all platforms, about two hundred megabytes.',
    needs:
      'It needs a GPU with a driver for Vulkan (on Linux also libvulkan1), Metal or Direct3D 12. It is slower than ' +
      '"tensorflow" and newer: prefer that where it runs.',
    advice: 'Check the network and the proxy, then try again.',
  },
];

/** How a program ended. */
export interface Ended {
  /** Null if a signal ended it. */
  code: number | null;
  /** Whether it was not there to begin with. */
  missing: boolean;
}

/** Runs a program to its end. What it says goes to stderr, unless `quiet`. */
export type RunProgram = (
  command: string,
  args: readonly string[],
  options: { cwd: string; quiet: boolean },
) => Promise<Ended>;

/** Whether this machine has an NVIDIA GPU with a driver. */
export async function hasNvidiaGpu(run: RunProgram, cwd: string): Promise<boolean> {
  const driver = await access('/proc/driver/nvidia/version').then(
    () => true,
    () => false,
  );
  return driver || (await run('nvidia-smi', ['-L'], { cwd, quiet: true })).code === 0;
}

/**
 * Installs an engine with npm.
 * @param dir folder of the engine; nothing is left in it if this fails
 * @throws CommandError saying what failed and what to do
 */
export async function installEngine(
  { packages, advice }: InstallableEngine,
  dir: string,
  run: RunProgram,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  try {
    await writeFile(join(dir, 'package.json'), '{ "private": true }\n');
    // Install scripts are needed, also where the user's npm runs none.
    const args = [
      'install',
      '--prefix',
      dir,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts=false',
      ...packages,
    ];
    const { code, missing } = await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
      cwd: dir,
      quiet: false,
    });
    if (missing) {
      throw new CommandError(
        'npm was not found. It comes with Node: install Node 20 or newer, or put npm on the PATH.',
      );
    }
    if (code !== 0) {
      const how = code === null ? 'it was ended by a signal' : `exit code ${code}`;
      throw new CommandError(
        `npm could not install ${packages.join(', ')} (${how}; its messages are above). ${advice}`,
      );
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Runs a program of this machine. */
export const runProgram: RunProgram = (command, args, { cwd, quiet }) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      // npm is a script on Windows.
      shell: command.endsWith('.cmd'),
      stdio: ['ignore', quiet ? 'ignore' : process.stderr, quiet ? 'ignore' : process.stderr],
    });
    child.once('error', (error) => {
      if ('code' in error && error.code === 'ENOENT') {
        resolve({ code: null, missing: true });
      } else {
        reject(error);
      }
    });
    child.once('exit', (code) => resolve({ code, missing: false }));
  });
