import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from '../../protocol/schema';
import type {
  AgentAnswer,
  AgentCommand,
  AgentEndpoint,
  AgentPlace,
  AgentRequest,
} from '../../targets/agent/protocol';
import { agentCommands } from '../../targets/agent/protocol';
import type { Descriptor } from '../../targets/local/descriptor';
import { LocalTarget } from '../../targets/local/localTarget';
import { readHistory } from './history';
import { probe } from './probe';

type Handlers = { [C in AgentCommand]: (request: AgentRequest<C>) => Promise<AgentAnswer<C>> };

/** Does what a target on another machine asks for: a line of JSON on stdin, one on stdout. */
export async function runAgent(command: string, bundleDir: string): Promise<void> {
  let reply: object;
  try {
    reply = { ok: true, answer: await answer(command, await readLine(), handlers(bundleDir)) };
  } catch (error) {
    reply = { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`, () => process.exit(0));
}

function handlers(bundleDir: string): Handlers {
  const local = ({
    outputsDir,
    dataDir,
    home,
    target,
    listen,
    elsewhere,
    slot = 0,
  }: AgentPlace): LocalTarget => {
    process.env.TINY_CATS_HOME = fromHome(home);
    return LocalTarget.open(
      { bundleDir, outputsDir: fromHome(outputsDir), dataDir: fromHome(dataDir), slot },
      { name: target, listen, ...(elsewhere === undefined ? {} : { elsewhere }) },
    );
  };
  const endpoint = async (target: LocalTarget): Promise<AgentEndpoint | null> => {
    const descriptor = await target.living();
    return descriptor === undefined ? null : endpointOf(descriptor);
  };
  return {
    find: async ({ place }) => ({ endpoint: await endpoint(local(place)) }),
    start: async ({ place, options }) => {
      const target = local(place);
      await target.start(options);
      const found = await endpoint(target);
      if (found === null) {
        throw new Error('The container ended right after its start.');
      }
      return { endpoint: found };
    },
    kill: async ({ place }) => {
      await local(place).kill();
      return {};
    },
    settle: async ({ place }) => ({ runIds: await local(place).settle() }),
    history: async ({ place, after }) => ({ runs: await readHistory(local(place).outputsDir, after) }),
    probe: ({ place }) => probe(fromHome(place.outputsDir)),
  };
}

async function answer(command: string, line: string, handle: Handlers): Promise<unknown> {
  const request = <C extends AgentCommand>(name: C): AgentRequest<C> =>
    parse<(typeof agentCommands)[C]['request']>(agentCommands[name].request, JSON.parse(line), `"${name}"`);
  switch (command) {
    case 'find':
      return handle.find(request('find'));
    case 'start':
      return handle.start(request('start'));
    case 'kill':
      return handle.kill(request('kill'));
    case 'settle':
      return handle.settle(request('settle'));
    case 'history':
      return handle.history(request('history'));
    case 'probe':
      return handle.probe(request('probe'));
    default:
      throw new Error(`there is no agent command "${command}"`);
  }
}

async function readLine(): Promise<string> {
  let text = '';
  for await (const piece of process.stdin.setEncoding('utf8')) {
    text += String(piece);
    if (text.includes('\n')) {
      break;
    }
  }
  return text.slice(0, text.indexOf('\n'));
}

function endpointOf({ containerId, token, port, socketPath }: Descriptor): AgentEndpoint {
  return { containerId, token, port, ...(socketPath === undefined ? {} : { socketPath }) };
}

function fromHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}
