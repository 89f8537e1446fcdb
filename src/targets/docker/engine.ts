import Dockerode from 'dockerode';
import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import { ContainerStartError } from '../target';
import type { EngineAddress } from './address';
import { describeAddress } from './address';
import type { EngineChoice, Surroundings } from './contexts';
import { engineAddresses } from './contexts';
import type { Dialling } from './dial';
import { dialling } from './dial';
import type { EngineRequest } from './http';
import { ask, text } from './http';
import { explainUnreachable } from './problems';

const PING_TIMEOUT_MS = 10_000;
/** For requests that an engine answers at once. */
const QUICK_TIMEOUT_MS = 30_000;
/** Version of Podman's own API; every Podman from 4.0 on has it. */
const LIBPOD = '/v4.0.0/libpod';

export type EngineKind = 'docker' | 'podman';

/** An engine that has answered. */
export class Engine {
  /** For what is answered at once. */
  readonly quick: Dockerode;
  /** For what takes as long as it takes: pulls, builds, streams. */
  readonly slow: Dockerode;

  private constructor(
    readonly kind: EngineKind,
    readonly address: EngineAddress,
    private readonly way: Dialling,
  ) {
    // All of these are given, so that no DOCKER_HOST comes in between.
    const common = { socketPath: undefined, host: undefined, port: undefined, ...way };
    this.quick = new Dockerode({ ...common, timeout: QUICK_TIMEOUT_MS });
    this.slow = new Dockerode(common);
  }

  /** Ports that it publishes on the loopback address are this machine's. */
  get isHere(): boolean {
    return this.address.via === 'socket';
  }

  /** "Podman" or "Docker Engine" */
  get title(): string {
    return this.kind === 'podman' ? 'Podman' : 'Docker Engine';
  }

  /**
   * The first engine of that choice that answers.
   * @throws ContainerStartError saying why none does, with the command that mends it
   */
  static async find(choice: EngineChoice, signal?: AbortSignal, at?: Surroundings): Promise<Engine> {
    const addresses = await engineAddresses(choice, at).catch((error: unknown) => {
      throw new ContainerStartError(error instanceof Error ? error.message : String(error));
    });
    const problems: string[] = [];
    for (const address of addresses) {
      try {
        const engine = await Engine.open(address, signal);
        if (choice.engine === 'auto' || choice.engine === engine.kind) {
          return engine;
        }
        problems.push(
          `${describeAddress(address)} is ${engine.title}, and the target asks for ${choice.engine}.`,
        );
      } catch (error) {
        signal?.throwIfAborted();
        const { what, remedy } = explainUnreachable(address, error);
        problems.push(`${what} Mend it with: ${remedy}`);
      }
    }
    throw new ContainerStartError(problems.join('\n'));
  }

  /** @throws Error if nothing that is an engine answers there */
  static async open(address: EngineAddress, signal?: AbortSignal): Promise<Engine> {
    const way = dialling(address);
    const answer = await ask(way, { method: 'GET', path: '/_ping', timeoutMs: PING_TIMEOUT_MS, signal });
    await text(answer);
    return new Engine(answer.headers['libpod-api-version'] === undefined ? 'docker' : 'podman', address, way);
  }

  /** Asks for what Podman alone has. @param request its path is below Podman's own API */
  async libpod(request: EngineRequest): Promise<IncomingMessage> {
    return ask(this.way, { ...request, path: `${LIBPOD}${request.path}` });
  }

  /** What the engine says about itself and its machine. */
  async facts(): Promise<EngineFacts> {
    const info: unknown = await this.quick.info();
    return parse(infoSchema, info, `answer of ${this.title}`);
  }
}

const infoSchema = v.object({
  ServerVersion: v.string(),
  OSType: v.optional(v.string(), 'linux'),
  Architecture: v.string(),
  NCPU: v.optional(v.number()),
  MemTotal: v.optional(v.number()),
  MemoryLimit: v.optional(v.boolean(), true),
  Runtimes: v.nullish(v.record(v.string(), v.unknown())),
  /** Docker 28 and later. */
  DiscoveredDevices: v.nullish(v.array(v.object({ ID: v.string() }))),
});
export type EngineFacts = v.InferOutput<typeof infoSchema>;
