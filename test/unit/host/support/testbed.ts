import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerModel } from '../../../../src/host/container/containerModel';
import type { ContainerOptions } from '../../../../src/targets/target';
import { FakeContainer } from './fakeContainer';

export const OPTIONS: ContainerOptions = {
  engine: 'cpu',
  port: 0,
  settings: { scaledownWindowMs: 300_000, keepDates: 5 },
  hint: { recipe: 'classifier', params: {} },
};

/** A container model over a fake container, in a folder of its own. */
export class Testbed {
  readonly dir = mkdtempSync(join(tmpdir(), 'tiny cats "größe" '));
  readonly fake = new FakeContainer(this.dir);
  now = 0;
  opened = 0;
  readonly container = new ContainerModel({
    openClient: () => {
      this.opened += 1;
      return this.fake.client();
    },
    mayHaveContainer: async () => (await this.fake.find()) !== undefined,
    targetName: () => 'local',
    now: () => this.now,
  });

  async close(): Promise<void> {
    this.container.close();
    await this.fake.close();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  /** Resolves when the model says so, at once or after a change. */
  async until(condition: () => boolean): Promise<void> {
    await until(this.container, 'change', condition);
  }
}

/** Resolves when `condition` holds, asking again at each `event`. */
export async function until<E extends string>(
  emitter: { on(event: E, listener: () => void): unknown; off(event: E, listener: () => void): unknown },
  event: E,
  condition: () => boolean,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const check = (): void => {
      if (condition()) {
        emitter.off(event, check);
        resolve();
      }
    };
    emitter.on(event, check);
    check();
  });
}
