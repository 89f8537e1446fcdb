/**
 * Entry of a container: becomes the one that owns its outputs volume, or leaves that to who owns it already. Its options
 * are in the environment, or with the arguments `from <file>` in a file. With the arguments `agent <command>` it does one
 * thing for a target on another machine, and ends.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WebSocket } from 'ws';
import { version } from '../../../package.json';
import { HEARTBEAT_MS } from '../../protocol/heartbeat';
import { parse } from '../../protocol/schema';
import { ensurePrivateDir, publishDescriptor, removeDescriptor } from '../../targets/local/descriptor';
import { mayBeLive } from '../../targets/local/livingContainers';
import { socketPath } from '../../targets/local/paths';
import { processStartTime } from '../../targets/local/processIdentity';
import type { StartOptions, StartReport } from '../../targets/local/startOptions';
import { START_OPTIONS_VARIABLE, startOptionsSchema } from '../../targets/local/startOptions';
import { settleInterruptedRuns } from '../../volume/interrupted';
import { runAgent } from '../agent/agent';
import { FileDesk } from '../files/fileDesk';
import type { Address } from './server';
import { ContainerServer } from './server';
import { Session } from './session';
import { Supervisor } from './supervisor';

const TOKEN_BYTES = 32;

/** @param text its options as JSON */
async function becomeContainer(text: string): Promise<void> {
  const given: unknown = JSON.parse(text);
  const options = parse(startOptionsSchema, given, START_OPTIONS_VARIABLE);
  const token = randomBytes(TOKEN_BYTES).toString('base64url');

  const files = new FileDesk(options, (name) => supervisor.arrived(name));
  let server: ContainerServer | undefined;
  const leave = async (): Promise<void> => {
    await removeDescriptor(options.containerDir, supervisor.containerId);
    await server?.close();
    process.exit(0);
  };
  const supervisor = new Supervisor(options, version, __dirname, () => void leave());
  const owner = await publishDescriptor(options.containerDir, async () => {
    const address = await addressFor(options);
    const accept = (socket: WebSocket): void => {
      const session = new Session(socket, supervisor.handlers);
      supervisor.sessions.add(session);
      socket.once('close', () => supervisor.sessions.delete(session));
    };
    server = await ContainerServer.listen(address, token, accept, HEARTBEAT_MS, (request, response) => {
      void supervisor.during(files.serve(request, response));
    });
    return {
      containerId: supervisor.containerId,
      pid: process.pid,
      pidStartTime: processStartTime(process.pid),
      port: server.port,
      ...('socketPath' in address ? address : {}),
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
  const mayLive = mayBeLive(options.outputsDir, options.elsewhere);
  await supervisor.settle(() => settleInterruptedRuns(options.outputsDir, mayLive));
}

/** Where this container is to listen. To be called by the one that owns the volume: what a dead one left is removed. */
async function addressFor({ containerDir, listen, port }: StartOptions): Promise<Address> {
  switch (listen?.on) {
    case 'socket': {
      const path = socketPath(containerDir);
      await ensurePrivateDir(dirname(path));
      await rm(path, { force: true });
      return { socketPath: path };
    }
    case 'host':
      return { host: listen.host, port };
    case undefined:
      return { port };
  }
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

const [role, what = ''] = process.argv.slice(2);
switch (role ?? '') {
  case 'agent':
    void runAgent(what, __dirname);
    break;
  case 'from':
    readFile(what, 'utf8').then(becomeContainer).catch(failed);
    break;
  default:
    becomeContainer(process.env[START_OPTIONS_VARIABLE] ?? 'null').catch(failed);
}

async function failed(error: unknown): Promise<never> {
  console.error(error);
  await report({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
