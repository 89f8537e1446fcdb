import { setTimeout as delay } from 'node:timers/promises';
import { RESTORE_PHASE } from '../../protocol/events';
import type { StartOptions } from '../local/startOptions';
import type { Endpoint, StartProgress } from '../target';
import type { ContainerSpec } from './containerSpec';
import { NameTaken, takeName } from './create';
import type { Engine } from './engine';
import { findImage } from './image';
import { LABEL } from './layout';
import type { Present } from './presence';
import { failEnded, inspect, isSameId, remove } from './presence';
import { messageOf } from './problems';
import { POLL_MS, reached } from './reached';
import type { Snapshot } from './snapshots';
import { restore, snapshotOf } from './snapshots';

/**
 * Starts the last container from its snapshot; one that cannot be is removed.
 * @param spec what a new one would be made from
 * @returns undefined if another one was at it, and it has to be looked again; 'not' if it starts cold
 */
export async function restoreLast(
  engine: Engine,
  last: Present,
  spec: ContainerSpec,
  options: () => StartOptions,
  progress: StartProgress,
): Promise<Endpoint | undefined | 'not'> {
  const { id } = last;
  const snapshot = await fitting(engine, last, spec);
  if (snapshot !== undefined) {
    progress.log(
      `Restoring the container from its snapshot of ${new Date(snapshot.takenAt).toLocaleString()}`,
    );
    try {
      return await progress.phase(RESTORE_PHASE, async () => {
        if (last.name !== spec.name) {
          await takeName(engine, id, spec.name);
        }
        await restore(engine, id, snapshot, options());
        return reached(engine, id, (ended) => failEnded(engine, id, ended));
      });
    } catch (error) {
      if (error instanceof NameTaken || (await inspect(engine, id))?.state === 'running') {
        await delay(POLL_MS);
        return undefined;
      }
      progress.log(`It cannot be restored, and starts anew: ${messageOf(error)}`);
    }
  }
  await remove(engine, id);
  return 'not';
}

/** The snapshot of a stopped container that was made as this one would be. */
async function fitting(engine: Engine, last: Present, spec: ContainerSpec): Promise<Snapshot | undefined> {
  if (last.make !== spec.labels[LABEL.make]) {
    return undefined;
  }
  const image = await findImage(engine, spec.image);
  return image !== undefined && isSameId(image.Id, last.imageId) ? snapshotOf(engine, last) : undefined;
}
