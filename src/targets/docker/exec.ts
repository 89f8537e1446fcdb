import type Dockerode from 'dockerode';
import { PassThrough } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { Engine } from './engine';

const LIMIT_MS = 60_000;

export interface ExecResult {
  exitCode: number;
  output: string;
  errors: string;
}

/**
 * Runs a command in a running container to its end.
 * @param input for its stdin; it may hold a secret, and stands in no argument
 * @throws Error if it cannot be run or takes longer than a minute
 */
export async function runIn(
  engine: Engine,
  containerId: string,
  command: readonly string[],
  input?: string,
): Promise<ExecResult> {
  const { exec, stream } = await openIn(engine, containerId, command, input !== undefined);
  const parts = { output: new PassThrough(), errors: new PassThrough() };
  // Demultiplexing ends neither.
  engine.slow.modem.demuxStream(stream, parts.output, parts.errors);
  const texts = { output: '', errors: '' };
  for (const name of ['output', 'errors'] as const) {
    parts[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  }
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      stream.destroy();
      reject(new Error(`"${command.join(' ').slice(0, 60)}" did not end within ${LIMIT_MS / 1000} s`));
    }, LIMIT_MS);
    const ended = (): void => {
      clearTimeout(timer);
      resolve();
    };
    stream.once('end', ended).once('close', ended);
    stream.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    if (input !== undefined) {
      stream.end(input);
    }
  });
  const { ExitCode } = await exec.inspect();
  return { exitCode: ExitCode ?? -1, ...texts };
}

/** Starts a command in a running container; its streams come in one, as the engines mix them. */
export async function openIn(
  engine: Engine,
  containerId: string,
  command: readonly string[],
  hasInput: boolean,
): Promise<{ exec: Dockerode.Exec; stream: Duplex }> {
  const exec = await engine.quick.getContainer(containerId).exec({
    Cmd: [...command],
    AttachStdin: hasInput,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await engine.slow.getExec(exec.id).start({ hijack: true, stdin: hasInput });
  return { exec, stream };
}
