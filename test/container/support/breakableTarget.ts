import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { ContainerOptions, Endpoint, Finding, StartProgress, Target } from '../../../src/targets/target';

/** A target whose containers are reached over a link that can break. */
export class BreakableTarget implements Target {
  readonly kind = 'local';
  readonly name = 'breakable';
  private readonly sockets = new Set<Socket>();
  private containerPort = 0;
  private readonly relay = createServer((near) => {
    const far = connect(this.containerPort, '127.0.0.1');
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => this.sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });

  private constructor(private readonly inner: Target) {}

  static async open(inner: Target): Promise<BreakableTarget> {
    const target = new BreakableTarget(inner);
    await new Promise<void>((resolve) => target.relay.listen(0, '127.0.0.1', resolve));
    return target;
  }

  async find(): Promise<Endpoint | undefined> {
    const endpoint = await this.inner.find();
    return endpoint === undefined ? undefined : this.relayed(endpoint);
  }

  async start(options: ContainerOptions, progress: StartProgress): Promise<Endpoint> {
    return this.relayed(await this.inner.start(options, progress));
  }

  kill(): Promise<void> {
    return this.inner.kill();
  }

  settle(): Promise<string[]> {
    return this.inner.settle();
  }

  check(): Promise<Finding[]> {
    return this.inner.check();
  }

  dispose(): Promise<void> {
    return this.inner.dispose();
  }

  /** Cuts every connection; new ones are let through. */
  breakLinks(): void {
    for (const socket of this.sockets) {
      socket.resetAndDestroy();
    }
  }

  close(): void {
    this.breakLinks();
    this.relay.close();
  }

  private relayed(endpoint: Endpoint): Endpoint {
    this.containerPort = Number(new URL(endpoint.url).port);
    const address = this.relay.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { ...endpoint, url: `ws://127.0.0.1:${port}/` };
  }
}
