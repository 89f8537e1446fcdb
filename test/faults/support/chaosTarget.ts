import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { ContainerOptions, Endpoint, Finding, StartProgress, Target } from '../../../src/targets/target';

/** What befalls the bytes of one connection on their way to the client. */
export interface Fate {
  /** It is cut after so many bytes, wherever in a message that is. */
  lastByte: number;
  /** How long each piece is held back. */
  delayMs: () => number;
}

const HARMLESS: Fate = { lastByte: Infinity, delayMs: () => 0 };

/** A target whose containers are reached over a bad link. */
export class ChaosTarget implements Target {
  readonly kind = 'local';
  readonly name = 'chaos';
  cuts = 0;
  /** Chooses what befalls the next connection. */
  fate: () => Fate = () => HARMLESS;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private containerPort = 0;
  private readonly relay = createServer((near) => {
    const far = connect(this.containerPort, '127.0.0.1');
    const pair = [near, far] as const;
    this.pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (piece) => far.write(piece));
    this.carry(near, far, this.fate());
  });

  private constructor(private readonly inner: Target) {}

  static async open(inner: Target): Promise<ChaosTarget> {
    const target = new ChaosTarget(inner);
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

  /** From here on no connection that there is carries anything, and none is closed. New ones work. */
  silence(): void {
    for (const pair of this.pairs) {
      for (const socket of pair) {
        socket.pause();
        socket.removeAllListeners('data');
      }
    }
  }

  close(): void {
    for (const [near, far] of this.pairs) {
      near.destroy();
      far.destroy();
    }
    this.relay.close();
  }

  /** The container's address, by way of this link. */
  relayed(endpoint: Endpoint): Endpoint {
    this.containerPort = Number(new URL(endpoint.url).port);
    const address = this.relay.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { ...endpoint, url: `ws://127.0.0.1:${port}/` };
  }

  private carry(near: Socket, far: Socket, { lastByte, delayMs }: Fate): void {
    let carried = 0;
    let turn: Promise<void> = Promise.resolve();
    far.on('data', (piece: Buffer) => {
      const left = lastByte - carried;
      carried += piece.length;
      turn = turn.then(async () => {
        const waitMs = delayMs();
        if (waitMs > 0) {
          await new Promise((resolve) => setTimeout(resolve, waitMs));
        }
        if (left <= 0 || near.destroyed) {
          return;
        }
        if (piece.length < left) {
          near.write(piece);
        } else {
          this.cuts += 1;
          near.end(piece.subarray(0, left), () => near.destroy());
          far.destroy();
        }
      });
    });
  }
}
