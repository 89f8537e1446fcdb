import { parse } from '../../protocol/schema';
import type { ContainerOptions, RunHistory } from '../target';
import { ContainerStartError } from '../target';
import type { AgentAnswer, AgentCommand, AgentEndpoint, AgentPlace, AgentRequest, Probe } from './protocol';
import { agentCommands, replySchema } from './protocol';

/**
 * Runs `node container.js agent <command>` on the target's machine.
 * @param input for its stdin; it may hold a token, and belongs in no argument
 * @returns its stdout
 */
export type AgentExec = (command: AgentCommand, input: string) => Promise<string>;

/** The agent of a target, seen from here. Its methods throw ContainerStartError with what the agent says. */
export class AgentClient {
  constructor(
    private readonly exec: AgentExec,
    private readonly place: AgentPlace,
  ) {}

  async find(): Promise<AgentEndpoint | undefined> {
    return (await this.ask('find', { place: this.place })).endpoint ?? undefined;
  }

  async start(options: ContainerOptions): Promise<AgentEndpoint> {
    return (await this.ask('start', { place: this.place, options })).endpoint;
  }

  async kill(): Promise<void> {
    await this.ask('kill', { place: this.place });
  }

  async settle(): Promise<string[]> {
    return (await this.ask('settle', { place: this.place })).runIds;
  }

  async history(after: ReadonlyMap<string, number>): Promise<RunHistory[]> {
    return (await this.ask('history', { place: this.place, after: Object.fromEntries(after) })).runs;
  }

  async probe(): Promise<Probe> {
    return this.ask('probe', { place: this.place });
  }

  private async ask<C extends AgentCommand>(command: C, request: AgentRequest<C>): Promise<AgentAnswer<C>> {
    const output = await this.exec(command, `${JSON.stringify(request)}\n`);
    // A login shell may have said something before.
    const line = output.trimEnd().split('\n').at(-1) ?? '';
    const reply = parse(replySchema, readJson(line), `answer of the agent to "${command}"`);
    if (!reply.ok) {
      throw new ContainerStartError(reply.message);
    }
    return parse<(typeof agentCommands)[C]['answer']>(
      agentCommands[command].answer,
      reply.answer,
      `answer of the agent to "${command}"`,
    );
  }
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
