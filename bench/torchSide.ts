import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const scripts = join(__dirname, 'torch');

/** A Python with PyTorch. */
export interface Torch {
  readonly python: string;
  /** Its version, and the libraries that decide its speed. */
  readonly description: string;
}

const about = `
import torch
config = torch.__config__.show()
known = [name for name in ("MKL-DNN", "OpenBLAS", "MKL", "AVX512", "AVX2") if name.lower() in (config + torch.__config__.parallel_info()).lower()]
try:
    import torchvision
    vision = ", torchvision " + torchvision.__version__
except ImportError:
    vision = ", without torchvision"
print("PyTorch", torch.__version__, "(" + ", ".join(known) + ")" + vision)
`;

/** The first Python that can import torch: of $PYTHON, python3 and Debian's own. */
export function findTorch(): Torch | undefined {
  for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
    if (python === undefined) continue;
    const { status, stdout } = spawnSync(python, ['-c', about], { encoding: 'utf8' });
    if (status === 0) return { python, description: stdout.trim() };
  }
  return undefined;
}

/** OpenBLAS has threads of its own, of which `torch.set_num_threads` knows nothing. */
function environment(threads: number): NodeJS.ProcessEnv {
  return { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
}

/** Of some steps. */
export interface Duration {
  readonly seconds: number;
  /** Of all threads together. */
  readonly processorSeconds: number;
}

/** A model in a Python process, ready to take steps. */
export class TorchTraining {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  constructor({ python }: Torch, model: string, threads: number) {
    this.child = spawn(python, [join(scripts, 'steps.py'), model, String(threads)], {
      env: environment(threads),
    });
    this.child.stderr.pipe(process.stderr);
    this.reader = createInterface(this.child.stdout);
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** Parameters of the model; the first answer, when it is ready. */
  async parameters(): Promise<number> {
    const [count = NaN] = await this.read();
    return count;
  }

  /** What so many steps take. */
  async run(steps: number): Promise<Duration> {
    this.child.stdin.write(`${steps}\n`);
    const [seconds = NaN, processorSeconds = NaN] = await this.read();
    return { seconds, processorSeconds };
  }

  end(): void {
    this.child.stdin.end();
    this.reader.close();
  }

  private async read(): Promise<number[]> {
    const line = await this.lines.next();
    if (line.done === true) throw new Error('the PyTorch side ended');
    return line.value.split(' ').map(Number);
  }
}

/** Milliseconds of a Python process that takes one step on images of `folder`, from its start to its end. */
export function torchColdMs(
  { python }: Torch,
  { model, threads, folder }: { model: string; threads: number; folder: string },
): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(python, [join(scripts, 'train.py'), model, String(threads), folder], {
    encoding: 'utf8',
    env: environment(threads),
  });
  if (status !== 0) throw new Error(`train.py failed: ${stderr}`);
  return performance.now() - startedAt;
}
