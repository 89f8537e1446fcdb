import * as v from 'valibot';
import { engineChoiceSchema } from '../../protocol/container';
import { runEventSchema } from '../../protocol/events';
import { containerSettingsSchema } from '../../protocol/rpc';
import { runRecordSchema } from '../../protocol/run';
import { count } from '../../protocol/schema';
import { elsewhereSchema, hintSchema, listenSchema } from '../local/startOptions';

/**
 * What the agent on a target's machine is asked: `node container.js agent <command>`, one line of JSON on its stdin and
 * one on its stdout. Tokens travel on those alone, never in arguments or the environment.
 */
const placeSchema = v.object({
  /** Folder of descriptors and engines. In every folder a leading `~/` is the home of the user there. */
  home: v.string(),
  outputsDir: v.string(),
  dataDir: v.string(),
  /** Name of the target, for the records of runs. */
  target: v.string(),
  listen: listenSchema,
  elsewhere: v.optional(elsewhereSchema),
  /** Which of the volume's containers; 0 if not given. */
  slot: v.exactOptional(count),
});
export type AgentPlace = v.InferOutput<typeof placeSchema>;

/** How a container is reached from its own machine. */
export const agentEndpointSchema = v.object({
  containerId: v.string(),
  token: v.string(),
  /** 0 where it listens on a socket. */
  port: count,
  socketPath: v.optional(v.string()),
});
export type AgentEndpoint = v.InferOutput<typeof agentEndpointSchema>;

/** The machine as the agent sees it. */
export const probeSchema = v.object({
  /** Of Tiny Cats. */
  version: v.string(),
  node: v.string(),
  platform: v.string(),
  arch: v.string(),
  /** Home of the user. */
  home: v.string(),
  /** Names of the NVIDIA GPUs that can be used. */
  gpus: v.array(v.string()),
  /** Why there are none, where the driver says so. */
  gpuProblem: v.optional(v.string()),
  /** Where the volumes are; null if it cannot be told. */
  freeBytes: v.nullable(count),
  /** Of `python3`; null without one. */
  python: v.nullable(v.object({ version: v.string(), torch: v.nullable(v.string()) })),
});
export type Probe = v.InferOutput<typeof probeSchema>;

const optionsSchema = v.object({
  engine: engineChoiceSchema,
  port: count,
  settings: containerSettingsSchema,
  hint: hintSchema,
});
const placed = v.object({ place: placeSchema });

export const agentCommands = {
  find: { request: placed, answer: v.object({ endpoint: v.nullable(agentEndpointSchema) }) },
  /** The container stays when the agent ends. */
  start: {
    request: v.object({ place: placeSchema, options: optionsSchema }),
    answer: v.object({ endpoint: agentEndpointSchema }),
  },
  kill: { request: placed, answer: v.object({}) },
  settle: { request: placed, answer: v.object({ runIds: v.array(v.string()) }) },
  /** Runs that the asker lacks events of: it names the seq of the last one that it has of each. */
  history: {
    request: v.object({ place: placeSchema, after: v.record(v.string(), count) }),
    answer: v.object({
      runs: v.array(v.object({ record: runRecordSchema, events: v.array(runEventSchema) })),
    }),
  },
  probe: { request: placed, answer: probeSchema },
} as const;
export type AgentCommand = keyof typeof agentCommands;
export type AgentRequest<C extends AgentCommand> = v.InferOutput<(typeof agentCommands)[C]['request']>;
export type AgentAnswer<C extends AgentCommand> = v.InferOutput<(typeof agentCommands)[C]['answer']>;

/** What the agent's line on stdout is. */
export const replySchema = v.variant('ok', [
  v.object({ ok: v.literal(true), answer: v.unknown() }),
  v.object({ ok: v.literal(false), message: v.string() }),
]);
