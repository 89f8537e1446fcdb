import type { ContainerProcess, Sandbox } from 'modal';

/** What a program in the sandbox came to. */
export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface Execution {
  /** For its stdin; it may hold a token, which belongs in no argument. */
  input?: string | Uint8Array;
  /** 0: however long it takes. */
  timeoutMs?: number;
}

/** Of a program that is told of no other. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** Modal ends a program that takes too long; that is waited for a little longer, since its sandbox may be gone meanwhile. */
const GRACE_MS = 5_000;

/** One message of the link to the sandbox holds no more. */
const CHUNK_BYTES = 1024 * 1024;

/** Runs a program in the sandbox to its end. */
export async function execute(
  sandbox: Sandbox,
  command: readonly string[],
  { input, timeoutMs = DEFAULT_TIMEOUT_MS }: Execution = {},
): Promise<Outcome> {
  return withinTime(timeoutMs, command, () => run(sandbox, command, { input, timeoutMs }));
}

async function run(
  sandbox: Sandbox,
  command: readonly string[],
  { input, timeoutMs }: { input: string | Uint8Array | undefined; timeoutMs: number },
): Promise<Outcome> {
  const running = await start(sandbox, command, timeoutMs);
  const [, stdout, stderr, exitCode] = await Promise.all([
    // A program that ends early takes no more; what it says tells why.
    write(running, input).catch(() => undefined),
    read(running.stdout),
    read(running.stderr),
    running.wait(),
  ]);
  return { exitCode, stdout, stderr };
}

/**
 * Runs a program that answers with one line and stays.
 * @returns the line, or all of its output if it ended without one
 */
export async function executeAndLeave(
  sandbox: Sandbox,
  command: readonly string[],
  input: string,
): Promise<Outcome> {
  return withinTime(DEFAULT_TIMEOUT_MS, command, () => runAndLeave(sandbox, command, input));
}

async function runAndLeave(sandbox: Sandbox, command: readonly string[], input: string): Promise<Outcome> {
  const running = await start(sandbox, command, 0);
  await write(running, input).catch(() => undefined);
  const decoder = new TextDecoder();
  const reader = running.stdout.getReader();
  let stdout = '';
  for (;;) {
    const { done, value } = await reader.read();
    stdout += decoder.decode(value, { stream: !done });
    if (stdout.includes('\n')) {
      // What else it says nobody reads; it goes on.
      void reader.cancel().catch(() => undefined);
      void running.stderr.cancel().catch(() => undefined);
      return { exitCode: 0, stdout, stderr: '' };
    }
    if (done) {
      const [stderr, exitCode] = await Promise.all([read(running.stderr), running.wait()]);
      return { exitCode, stdout, stderr };
    }
  }
}

type Running = ContainerProcess<Uint8Array>;

function start(sandbox: Sandbox, command: readonly string[], timeoutMs: number): Promise<Running> {
  return sandbox.exec([...command], { mode: 'binary', ...(timeoutMs === 0 ? {} : { timeoutMs }) });
}

/** @throws Error if it takes longer. The streams of a sandbox that ends under a program may never end themselves. */
async function withinTime<T>(
  timeoutMs: number,
  command: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (timeoutMs === 0) {
    return work();
  }
  let impatience: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `${command[0] ?? ''} in the sandbox did not end within ${timeoutMs / 1000} s`;
    impatience = setTimeout(() => reject(new Error(text)), timeoutMs + GRACE_MS);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(impatience);
  }
}

async function write({ stdin }: Running, input: string | Uint8Array = ''): Promise<void> {
  const bytes = Buffer.from(input);
  const writer = stdin.getWriter();
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    await writer.write(bytes.subarray(from, from + CHUNK_BYTES));
  }
  await writer.close();
}

async function read(stream: ReadableStream<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
