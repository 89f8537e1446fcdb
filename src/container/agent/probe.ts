import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { version } from '../../../package.json';
import type { Probe } from '../../targets/agent/protocol';

const LIMIT_MS = 10_000;
const FIND_TORCH = `
import platform, importlib.util
print(platform.python_version())
spec = importlib.util.find_spec("torch")
if spec:
    from importlib.metadata import version, PackageNotFoundError
    try: print(version("torch"))
    except PackageNotFoundError: print("installed")
`;

/** What this machine has to train with. Imports nothing heavy and starts nothing that stays. */
export async function probe(outputsDir: string): Promise<Probe> {
  const [gpus, python, freeBytes] = await Promise.all([
    output('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader']),
    output('python3', ['-c', FIND_TORCH]),
    freeSpace(outputsDir),
  ]);
  const [pythonVersion, torch = null] = python.text.split('\n');
  return {
    version,
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    home: homedir(),
    gpus: gpus.problem === undefined ? gpus.text.split('\n').filter((line) => line !== '') : [],
    ...(gpus.problem === undefined || gpus.isMissing ? {} : { gpuProblem: gpus.text || gpus.problem }),
    freeBytes,
    python: python.problem === undefined && pythonVersion ? { version: pythonVersion, torch } : null,
  };
}

interface Output {
  text: string;
  problem?: string;
  /** There is no such program. */
  isMissing: boolean;
}

async function output(program: string, args: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: LIMIT_MS }, (error, stdout) => {
      const text = stdout.trim();
      resolve(
        error === null
          ? { text, isMissing: false }
          : { text, problem: error.message, isMissing: error.code === 'ENOENT' },
      );
    });
  });
}

/** Of the file system that the folder is or will be on. */
async function freeSpace(dir: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  } catch {
    return dirname(dir) === dir ? null : freeSpace(dirname(dir));
  }
}
