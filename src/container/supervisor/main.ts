/** Entry of a container: becomes the one that owns its outputs volume, or leaves that to who owns it already. */
import { randomBytes } from 'node:crypto';
import { version } from '../../../package.json';
import { parse } from '../../protocol/schema';
import { publishDescriptor, removeDescriptor } from '../../targets/local/descriptor';
import { processStartTime } from '../../targets/local/processIdentity';
import type { StartReport } from '../../targets/local/startOptions';
import { START_OPTIONS_VARIABLE, startOptionsSchema } from '../../targets/local/startOptions';
import { settleInterruptedRuns } from '../../volume/interrupted';
import { ContainerServer } from './server';
import { Session } from './session';
import { Supervisor } from './supervisor';

const TOKEN_BYTES = 32;

async function main(): Promise<void> {
  const given: unknown = JSON.parse(process.env[START_OPTIONS_VARIABLE] ?? 'null');
  const options = parse(startOptionsSchema, given, START_OPTIONS_VARIABLE);
  const token = randomBytes(TOKEN_BYTES).toString('base64url');

  let server: ContainerServer | undefined;
  const leave = async (): Promise<void> => {
    await removeDescriptor(options.containerDir, supervisor.containerId);
    await server?.close();
    process.exit(0);
  };
  const supervisor = new Supervisor(options, version, __dirname, () => void leave());
  const owner = await publishDescriptor(options.containerDir, async () => {
    server = await ContainerServer.listen(options.port, token, (socket) => {
      const session = new Session(socket, supervisor.handlers);
      supervisor.sessions.add(session);
      socket.once('close', () => supervisor.sessions.delete(session));
    });
    return {
      containerId: supervisor.containerId,
      pid: process.pid,
      pidStartTime: processStartTime(process.pid),
      port: server.port,
      token,
      version,
      outputsDir: options.outputsDir,
    };
  });
  if (owner !== undefined) {
    await report({ type: 'superseded' });
    process.exit(0);
  }
  supervisor.warm(options.spawnedAt);
  void report({ type: 'listening' });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void supervisor.terminate());
  }
  // The terminal or window that started it may close.
  process.on('SIGHUP', () => undefined);
  await settleInterruptedRuns(options.outputsDir, (record) => record.containerId === supervisor.containerId);
}

/** Resolves once who started this container was told, or is known to be gone. */
async function report(message: StartReport): Promise<void> {
  await new Promise<void>((resolve) => {
    if (process.send === undefined || !process.connected) {
      resolve();
      return;
    }
    process.send(message, () => {
      if (process.connected) {
        process.disconnect();
      }
      resolve();
    });
  });
}

main().catch(async (error: unknown) => {
  console.error(error);
  await report({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exit(1);
});
