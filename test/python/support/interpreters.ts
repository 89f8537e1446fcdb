import { spawnSync } from 'node:child_process';
import { installWithApt } from '../../../scripts/host/apt.mjs';

const CANDIDATES = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter((name) => name !== undefined);
/** PyTorch 1.13 as Debian has it. Its libopenblas0 is a recommendation only, without which it computes very slowly. */
const PACKAGES = ['python3-torch', 'python3-torchvision', 'python3-pil', 'libopenblas0'];

function runs(interpreter: string, code: string): boolean {
  return spawnSync(interpreter, ['-c', code], { stdio: 'ignore' }).status === 0;
}

/** A Python 3.9 or newer; undefined where there is none. */
export function findPython(): string | undefined {
  return CANDIDATES.find((name) => runs(name, 'import sys; sys.exit(sys.version_info < (3, 9))'));
}

let torch: Promise<string | undefined> | undefined;

/** A Python with PyTorch and torchvision, installed from Debian's packages where this user may do so; undefined where not. */
export function findTorchPython(): Promise<string | undefined> {
  torch ??= search();
  return torch;
}

async function search(): Promise<string | undefined> {
  const find = () => CANDIDATES.find((name) => runs(name, 'import torch, torchvision'));
  const found = find();
  if (found !== undefined) {
    return found;
  }
  try {
    await installWithApt(PACKAGES);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  return find();
}

/** A mocha hook's or test's context. */
interface Context {
  skip(): void;
  timeout(ms: number): unknown;
}

/** Python for the tests of a suite, which are skipped with a notice where there is none. */
export function needsPython(context: Context): string {
  const found = findPython();
  if (found === undefined) {
    console.log('    skipped: there is no Python 3.9 or newer');
    context.skip();
  }
  return found ?? '';
}

/** Python with PyTorch for the tests of a suite, which are skipped with a notice where there is none. */
export async function needsTorch(context: Context): Promise<string> {
  // It may have to be installed first.
  context.timeout(900_000);
  const found = await findTorchPython();
  if (found === undefined) {
    console.log(`    skipped: there is no PyTorch (on Debian: apt-get install ${PACKAGES.join(' ')})`);
    context.skip();
  }
  return found ?? '';
}
