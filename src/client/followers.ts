import type { RunEvent } from '../protocol/events';
import type { OutputsVolume } from '../volume/outputsVolume';
import type { ContainerConnection } from './connection';
import { Follower } from './follower';

/** All who follow a run, through dropped links and the death of the container. */
export class Followers {
  private readonly all = new Set<Follower>();
  /** Runs whose events are asked for again, since some were missing. */
  private readonly replaying = new Set<string>();

  /** @param connection the one to the container, if there is one now */
  constructor(
    private readonly volume: OutputsVolume,
    private readonly connection: () => ContainerConnection | undefined,
  ) {}

  /** See ContainerClient.follow. */
  follow(runId: string, afterSeq: number, listener: (events: RunEvent[]) => void): { dispose(): void } {
    const follower = new Follower(runId, afterSeq, listener);
    this.all.add(follower);
    void this.catchUp(runId);
    return {
      dispose: () => {
        this.all.delete(follower);
        if (!this.of(runId).length) {
          this.connection()
            ?.request('detach', { runId })
            .catch(() => undefined);
        }
      },
    };
  }

  /** An event has come by the link. */
  deliver(event: RunEvent): void {
    for (const follower of this.of(event.runId)) {
      if (!follower.take([event])) {
        void this.replay(event.runId);
      }
    }
  }

  /** There is another link, or none any more. */
  async catchUpAll(): Promise<void> {
    const runIds = new Set([...this.all].map((follower) => follower.runId));
    await Promise.all([...runIds].map((runId) => this.catchUp(runId)));
  }

  clear(): void {
    this.all.clear();
  }

  private of(runId: string): Follower[] {
    return [...this.all].filter((follower) => follower.runId === runId);
  }

  private async replay(runId: string): Promise<void> {
    if (!this.replaying.has(runId)) {
      this.replaying.add(runId);
      await this.catchUp(runId);
      this.replaying.delete(runId);
    }
  }

  /** From the container if there is one, since it goes on live; else from the volume. */
  private async catchUp(runId: string): Promise<void> {
    const behind = this.of(runId).filter((follower) => !follower.ended);
    if (behind.length === 0) {
      return;
    }
    // A container sends a run's events once to a client: whoever has them already passes over them.
    const afterSeq = Math.min(...behind.map((follower) => follower.lastSeq));
    const connection = this.connection();
    try {
      if (connection !== undefined) {
        await connection.request('attach', { runId, afterSeq });
      } else {
        const events = await this.volume.readRunEvents(runId, afterSeq);
        for (const follower of behind) {
          follower.take(events);
        }
      }
    } catch {
      // The link ended meanwhile: the client catches up again, by the next link or from the volume.
    }
  }
}
