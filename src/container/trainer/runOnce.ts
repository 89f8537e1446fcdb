import { DataError } from '../data/dataError';
import type { Outcome } from '../recipes/recipe';
import { RunFailure } from '../recipes/recipe';
import type { FromTrainer, RunOrder } from '../trainerProtocol';
import { volumeMessage } from '../volumeMessage';
import type { Entered } from './enter';
import { PhaseRecorder } from './phases';

/** Trains one run and tells how it ended; never throws. */
export async function runOnce(
  entered: Entered | undefined,
  order: RunOrder,
  stop: AbortSignal,
  send: (message: FromTrainer) => void,
): Promise<void> {
  const { runId } = order;
  const recorder = new PhaseRecorder('run', order.askedAt, (phase) => {
    // The start-up waterfall is the first attempt's.
    if (order.attempt === 1) {
      send({ type: 'event', runId, event: { type: 'phase', phase } });
    }
  });
  const recipe = entered?.recipes.get(order.recipe);
  let outcome: Outcome;
  try {
    if (recipe === undefined) {
      throw new RunFailure('parameters', `This container cannot train "${order.recipe}".`);
    }
    outcome = await recipe.train({
      runId,
      params: order.params,
      runDir: order.runDir,
      outputsDir: order.outputsDir,
      resumeDir: order.resumeDir,
      phase: recorder.phase,
      stop,
      emit: (event) => send({ type: 'event', runId, event }),
      log: (level, text) => send({ type: 'event', runId, event: { type: 'log', level, text } }),
      firstStepDone: () => send({ type: 'firstStep', runId }),
    });
  } catch (error) {
    outcome = failure(error, stop, order);
  }
  send({ type: 'ended', runId, ...outcome });
}

function failure(error: unknown, stop: AbortSignal, { outputsDir }: RunOrder): Outcome {
  if (stop.aborted && error === stop.reason) {
    return { status: 'stopped', output: null, val_acc: null };
  }
  const known = { status: 'failed', output: null, val_acc: null } as const;
  if (error instanceof RunFailure) {
    return { ...known, error: { code: error.code, message: error.message } };
  }
  if (error instanceof DataError) {
    return { ...known, error: { code: 'data', message: error.message } };
  }
  console.error(error);
  const message = error instanceof Error ? error.message : String(error);
  return isAbout(outputsDir, error)
    ? { ...known, error: { code: 'volume', message: volumeMessage(outputsDir, message) } }
    : { ...known, error: { code: 'internal', message } };
}

/** Whether the system refused to write into `dir`. An error of a file that is open already, such as ENOSPC, has no path. */
function isAbout(dir: string, error: unknown): boolean {
  if (!(error instanceof Error && 'syscall' in error)) {
    return false;
  }
  return 'path' in error && typeof error.path === 'string' ? error.path.startsWith(dir) : true;
}
