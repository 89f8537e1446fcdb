import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallContext, Server } from 'nice-grpc';
import { ServerError, Status, createServer } from 'nice-grpc';
import * as v from 'valibot';
import { isStreaming, isUnary, modalDefinitions } from './definitions';
import type { ServiceDefinition } from 'nice-grpc/lib/service-definitions';
import type { Streaming, Unary } from './definitions';
import { commandRouter } from './commandRouter';
import { SandboxDouble } from './sandboxDouble';

export const TOKEN = { tokenId: 'ak-double', tokenSecret: 'as-double-secret' };

export type Handler = (request: unknown, context: CallContext) => Promise<object>;
export type StreamHandler = (request: unknown) => AsyncGenerator<object>;
export interface Handlers {
  unary: Record<string, Handler>;
  streaming: Record<string, StreamHandler>;
}

const SUCCESS = 1;
const FAILURE = 2;
const named = v.object({
  appName: v.optional(v.string(), ''),
  objectCreationType: v.optional(v.number(), 0),
});
const bySandbox = v.object({ sandboxId: v.string() });
const byName = v.object({ sandboxName: v.string(), appName: v.string() });
const waiting = v.object({ sandboxId: v.string(), timeout: v.optional(v.number(), 0) });
const volumeRequest = v.object({ deploymentName: v.string() });
const imageRequest = v.object({ image: v.object({ dockerfileCommands: v.array(v.string()) }) });
const creation = v.object({
  definition: v.object({
    entrypointArgs: v.array(v.string()),
    name: v.optional(v.string(), ''),
    timeoutSecs: v.number(),
    idleTimeoutSecs: v.optional(v.number(), 0),
    resources: v.optional(v.object({ gpuConfig: v.optional(v.object({ gpuType: v.string() })) })),
    volumeMounts: v.array(v.object({ volumeId: v.string(), mountPath: v.string() })),
    openPorts: v.optional(
      v.object({ ports: v.array(v.object({ port: v.number(), unencrypted: v.boolean() })) }),
    ),
  }),
});

/**
 * A double of Modal's server, since the real one cannot be had: it speaks the SDK's own gRPC, and its sandboxes are real
 * processes with real volumes, pipes and TLS tunnels.
 */
export class ModalDouble {
  readonly sandboxes: SandboxDouble[] = [];
  /** Names of the calls, in order. */
  readonly calls: string[] = [];
  readonly images: string[][] = [];
  readonly apps = new Set<string>();
  readonly volumes = new Map<string, string>();
  /** Makes image builds fail with this. */
  buildFailure: string | undefined;

  private constructor(
    private readonly dir: string,
    private readonly server: Server,
  ) {}

  /** @param dir its folder, which the caller removes */
  static async start(dir: string): Promise<ModalDouble> {
    const definitions = await modalDefinitions();
    const server = createServer();
    const double = new ModalDouble(dir, server);
    double.add(definitions.control, double.control(), (context) => authenticate(context));
    double.add(
      definitions.router,
      commandRouter((taskId) => double.sandboxes.find((sandbox) => sandbox.taskId === taskId)),
    );
    double.port = await server.listen('127.0.0.1:0');
    return double;
  }

  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The newest sandbox. */
  get last(): SandboxDouble {
    const sandbox = this.sandboxes.at(-1);
    if (sandbox === undefined) {
      throw new Error('no sandbox was made');
    }
    return sandbox;
  }

  /** What Modal does when the idle time-out has passed. @returns whether that ended the sandbox */
  async passIdleTime(): Promise<boolean> {
    const { last } = this;
    if (last.exitCode === undefined && last.isIdle) {
      await last.end(0);
      return true;
    }
    return false;
  }

  volumeDir(name: string): string {
    return join(this.dir, 'volumes', name);
  }

  async stop(): Promise<void> {
    await Promise.all(this.sandboxes.map((sandbox) => sandbox.end(137)));
    this.server.forceShutdown();
  }

  private add(
    definition: ServiceDefinition,
    { unary, streaming }: Handlers,
    guard: (context: CallContext) => void = () => undefined,
  ): void {
    const unaryMethods: Record<string, Unary> = {};
    const unaryHandlers: Record<string, Handler> = {};
    const streamMethods: Record<string, Streaming> = {};
    const streamHandlers: Record<string, (request: unknown, context: CallContext) => AsyncGenerator<object>> =
      {};
    for (const [name, method] of Object.entries(definition)) {
      if (isUnary(method)) {
        unaryMethods[name] = method;
        unaryHandlers[name] = async (request, context) => {
          this.calls.push(name);
          guard(context);
          const handler = unary[name];
          if (handler === undefined) {
            throw new ServerError(Status.UNIMPLEMENTED, `the double has no ${name}`);
          }
          return handler(request, context);
        };
      } else if (isStreaming(method) && streaming[name] !== undefined) {
        const handler = streaming[name];
        streamMethods[name] = method;
        streamHandlers[name] = (request, context) => {
          guard(context);
          return handler(request);
        };
      }
    }
    this.server.add(unaryMethods, unaryHandlers);
    this.server.add(streamMethods, streamHandlers);
  }

  private sandbox(request: unknown): SandboxDouble {
    const { sandboxId } = v.parse(bySandbox, request);
    const found = this.sandboxes.find(({ id }) => id === sandboxId);
    if (found === undefined) {
      throw new ServerError(Status.NOT_FOUND, `no sandbox ${sandboxId}`);
    }
    return found;
  }

  private control(): Handlers {
    const taskId: Handler = (request) => Promise.resolve({ taskId: this.sandbox(request).taskId });
    const tunnels: Handler = (request) =>
      Promise.resolve({ result: { status: SUCCESS }, tunnels: this.tunnelsOf(this.sandbox(request)) });
    const wait: Handler = async (request) => {
      const sandbox = this.sandbox(request);
      const { timeout } = v.parse(waiting, request);
      await Promise.race([sandbox.ended, delay(timeout * 1000, undefined, { ref: false })]);
      const { exitCode } = sandbox;
      return exitCode === undefined
        ? {}
        : { result: { status: exitCode === 0 ? SUCCESS : FAILURE, exitcode: exitCode } };
    };
    const terminate: Handler = async (request) => {
      await this.sandbox(request).end(137);
      return {};
    };
    const access: Handler = () =>
      Promise.resolve({
        url: `https://127.0.0.1:${this.port}`,
        jwt: `a.${Buffer.from('{}').toString('base64url')}.c`,
      });
    return {
      unary: {
        authTokenGet: () => Promise.resolve({ token: unsignedToken() }),
        appGetOrCreate: (request) => this.app(request),
        environmentGetOrCreate: () =>
          Promise.resolve({
            environmentId: 'en-1',
            metadata: { name: 'main', settings: { imageBuilderVersion: '2025.06', webhookSuffix: '' } },
          }),
        imageGetOrCreate: (request) => {
          this.images.push(v.parse(imageRequest, request).image.dockerfileCommands);
          return Promise.resolve({ imageId: `im-${this.images.length}` });
        },
        volumeGetOrCreate: (request) => this.volume(request),
        sandboxCreate: async (request) => ({ sandboxId: (await this.create(request, 'sb-')).id }),
        sandboxCreateV2: async (request) => {
          const { id, taskId: task } = await this.create(request, 'sb-v2-');
          return { sandboxId: id, taskId: task, tunnels: [] };
        },
        sandboxGetFromName: (request) => this.fromName(request, (id) => !id.startsWith('sb-v2-')),
        sandboxGetFromNameV2: (request) => this.fromName(request, (id) => id.startsWith('sb-v2-')),
        sandboxGetTaskId: taskId,
        sandboxGetTaskIdV2: taskId,
        sandboxGetTunnels: tunnels,
        sandboxGetTunnelsV2: tunnels,
        sandboxWait: wait,
        sandboxWaitV2: wait,
        sandboxTerminate: terminate,
        sandboxTerminateV2: terminate,
        sandboxGetCommandRouterAccess: access,
        taskGetCommandRouterAccess: access,
      },
      streaming: { imageJoinStreaming: () => this.build() },
    };
  }

  private app(request: unknown): Promise<object> {
    const { appName, objectCreationType } = v.parse(named, request);
    if (objectCreationType === 0 && !this.apps.has(appName)) {
      throw new ServerError(Status.NOT_FOUND, `no app ${appName}`);
    }
    this.apps.add(appName);
    return Promise.resolve({ appId: `ap-${appName}` });
  }

  private volume(request: unknown): Promise<object> {
    const { deploymentName: name } = v.parse(volumeRequest, request);
    mkdirSync(this.volumeDir(name), { recursive: true });
    this.volumes.set(`vo-${name}`, name);
    return Promise.resolve({ volumeId: `vo-${name}`, version: 2, metadata: { version: 2, name } });
  }

  private async *build(): AsyncGenerator<object> {
    await delay(5);
    const failure = this.buildFailure;
    yield failure === undefined
      ? { entryId: '1', result: { status: SUCCESS }, eof: true, metadata: {} }
      : { entryId: '1', result: { status: FAILURE, exception: failure }, eof: true };
  }

  private async create(request: unknown, prefix: string): Promise<SandboxDouble> {
    const { definition } = v.parse(creation, request);
    const running = this.sandboxes.find(
      (sandbox) => sandbox.definition.name === definition.name && sandbox.exitCode === undefined,
    );
    if (running !== undefined) {
      throw new ServerError(Status.ALREADY_EXISTS, `there is a sandbox ${definition.name}`);
    }
    const id = prefix + randomBytes(11).toString('hex');
    const sandbox = await SandboxDouble.start(
      id,
      `ta-${randomBytes(11).toString('hex')}`,
      {
        command: definition.entrypointArgs,
        name: definition.name,
        gpu: definition.resources?.gpuConfig?.gpuType ?? '',
        timeoutS: definition.timeoutSecs,
        idleTimeoutS: definition.idleTimeoutSecs,
        mounts: new Map(
          definition.volumeMounts.map(({ volumeId, mountPath }) => [
            mountPath,
            this.volumeDir(this.volumes.get(volumeId) ?? volumeId),
          ]),
        ),
        ports: (definition.openPorts?.ports ?? []).map(({ port }) => port),
      },
      join(this.dir, 'sandboxes', id),
    );
    this.sandboxes.push(sandbox);
    return sandbox;
  }

  private fromName(request: unknown, isKind: (id: string) => boolean): Promise<object> {
    const { sandboxName } = v.parse(byName, request);
    const found = this.sandboxes.find(
      ({ id, definition, exitCode }) =>
        isKind(id) && definition.name === sandboxName && exitCode === undefined,
    );
    if (found === undefined) {
      throw new ServerError(Status.NOT_FOUND, `no sandbox ${sandboxName}`);
    }
    return Promise.resolve({ sandboxId: found.id });
  }

  private tunnelsOf(sandbox: SandboxDouble): object[] {
    return sandbox.definition.ports.map((port) => ({
      host: '127.0.0.1',
      port: sandbox.tunnelPort(port),
      containerPort: port,
    }));
  }
}

function authenticate({ metadata }: CallContext): void {
  const isRight =
    metadata.get('x-modal-token-id') === TOKEN.tokenId &&
    metadata.get('x-modal-token-secret') === TOKEN.tokenSecret;
  if (!isRight) {
    throw new ServerError(Status.UNAUTHENTICATED, 'the token is not known');
  }
}

function unsignedToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: Date.now() / 1000 + 3600 })}.x`;
}
