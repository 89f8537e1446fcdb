import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 20_000;
const OLDEST = { major: 3, minor: 9 };

/** A Python that cannot be used; `message` says why and what to do. */
export class InterpreterError extends Error {
  override readonly name = 'InterpreterError';
}

/** Where a folder's own virtual environment has its interpreter, if it has one. */
export function venvInterpreter(
  folder: string,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const path =
    platform === 'win32'
      ? join(folder, '.venv', 'Scripts', 'python.exe')
      : join(folder, '.venv', 'bin', 'python');
  return existsSync(path) ? path : undefined;
}

/** The one that is named, else the folder's own, else the one on the PATH. */
export function chooseInterpreter(named: string, folder: string | undefined): string {
  if (named !== '') {
    return named;
  }
  const own = folder === undefined ? undefined : venvInterpreter(folder);
  return own ?? (process.platform === 'win32' ? 'python' : 'python3');
}

const HOW_TO_CHOOSE =
  'Choose another with the setting tinyCats.pythonInterpreter or --python, or make a .venv in the folder.';

/**
 * Makes sure that the interpreter can be run and is new enough.
 * @returns its version, such as 3.12.3
 * @throws InterpreterError
 */
export async function checkInterpreter(path: string): Promise<string> {
  let version: string;
  try {
    const { stdout } = await run(path, ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'], {
      timeout: PROBE_TIMEOUT_MS,
      windowsHide: true,
    });
    version = stdout.trim();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = isMissing
      ? 'there is no such program'
      : error instanceof Error
        ? error.message.trim()
        : String(error);
    throw new InterpreterError(`The Python interpreter "${path}" cannot be run: ${why}. ${HOW_TO_CHOOSE}`);
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== OLDEST.major || minor < OLDEST.minor) {
    throw new InterpreterError(
      `The Python interpreter "${path}" is version ${version}; Tiny Cats needs ${OLDEST.major}.${OLDEST.minor} ` +
        `or newer. ${HOW_TO_CHOOSE}`,
    );
  }
  return version;
}

/** Whether the machine has an NVIDIA GPU with its driver. Looks at files only. */
export function hasNvidiaGpu(): boolean {
  return process.platform === 'win32'
    ? existsSync(join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'nvidia-smi.exe'))
    : existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0') || existsSync('/dev/dxg');
}

/** Whether the interpreter has PyTorch with torchvision, and that sees a CUDA device. Takes as long as the imports. */
export async function seesCuda(path: string): Promise<boolean> {
  try {
    await run(
      path,
      ['-c', 'import sys, torch, torchvision; sys.exit(0 if torch.cuda.is_available() else 1)'],
      {
        timeout: PROBE_TIMEOUT_MS * 3,
        windowsHide: true,
      },
    );
    return true;
  } catch {
    return false;
  }
}
