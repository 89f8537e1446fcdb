import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** ssh or what it ran has failed. */
export class SshError extends Error {
  override readonly name = 'SshError';

  constructor(
    message: string,
    /** ssh itself could not do it, as against what it ran there. */
    readonly isLink: boolean,
  ) {
    super(message);
  }
}

/** Exit code of ssh where it is ssh itself that has failed. */
const LINK_FAILED = 255;

export interface RunOptions {
  input?: string | Uint8Array;
  limitMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end.
 * @returns its stdout
 * @throws SshError with what it said on stderr, or that it took too long
 */
export async function runToEnd(
  program: string,
  args: readonly string[],
  { input = '', limitMs, signal }: RunOptions,
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl+C in a terminal is for the run, not for the link.
    detached: true,
    ...(signal === undefined ? {} : { signal }),
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => output.push(piece));
  const complaint = collectText(child);
  // A program that ends without reading its input says why on stderr.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
    child.kill('SIGKILL');
  }, limitMs);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (limit.signal.aborted) {
      throw new SshError(`there was no answer within ${limitMs / 1000} s`, true);
    }
    if (code !== 0) {
      throw new SshError(complaint() || `it ended with exit code ${String(code)}`, code === LINK_FAILED);
    }
    return Buffer.concat(output).toString('utf8');
  } catch (error) {
    throw missingProgram(program, error);
  } finally {
    clearTimeout(timer);
  }
}

/** What a child says on stderr, its last lines, once asked for. */
export function collectText(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-4000);
  });
  return () => text.trim().split('\n').slice(-6).join('\n').trim();
}

/** Says what to do where there is no ssh. */
export function missingProgram(program: string, error: unknown): unknown {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return isMissing
    ? new SshError(
        `there is no program "${program}" on this machine: install OpenSSH's client (on Debian and Ubuntu: ` +
          'sudo apt-get install openssh-client)',
        true,
      )
    : error;
}
