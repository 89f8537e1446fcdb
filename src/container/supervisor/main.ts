/**
 * Entry of a container: becomes the one that owns its outputs volume, or leaves that to who owns it already. Its options
 * are in the environment, or with the arguments `from <file>` in a file. With the arguments `agent <command>` it does one
 * thing for a target on another machine, and ends.
 */
import { readFile } from 'node:fs/promises';
import { version } from '../../../package.json';
import { parse } from '../../protocol/schema';
import type { StartReport } from '../../targets/local/startOptions';
import { START_OPTIONS_VARIABLE, startOptionsSchema } from '../../targets/local/startOptions';
import { runAgent } from '../agent/agent';
import { FileDesk } from '../files/fileDesk';
import { Door } from './door';
import { Supervisor } from './supervisor';

/** @param text its options as JSON */
async function becomeContainer(text: string): Promise<void> {
  const given: unknown = JSON.parse(text);
  const options = parse(startOptionsSchema, given, START_OPTIONS_VARIABLE);
  const files = new FileDesk(options, (name) => supervisor.arrived(name));
  const door = new Door(options, version, {
    accept: (socket) => supervisor.admit(socket),
    serveFiles: (request, response) => void supervisor.during(files.serve(request, response)),
  });
  const supervisor = new Supervisor(options, version, __dirname, door);
  if ((await door.open(supervisor.containerId)) !== undefined) {
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
  await supervisor.settle(options.elsewhere);
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
