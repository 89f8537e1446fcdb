import type { RunRecord } from '../protocol/run';
import { containerCost } from '../protocol/cost';
import { heldMemoryText } from '../protocol/heldMemory';
import { isFinal } from '../protocol/run';
import type { MessageDeps } from './commands/messages';
import { commandAction, offer, reportError } from './commands/messages';
import type { ContainerModel } from './container/containerModel';
import { formatDuration, formatPercent } from './format';
import type { PanelManager } from './panel/panelManager';

export interface NotifierDeps extends MessageDeps {
  container: ContainerModel;
  panel: Pick<PanelManager, 'isVisible'>;
  /** Runs that the user started from this window. */
  startedHere: Set<string>;
}

const CONTAINER_DIED = 'container_died';

/** Says when a run of the user has ended while its panel is hidden, and when the container died. */
export class Notifier {
  /** Whether the user was asked about the container that is left warm now. */
  private hasAsked = false;
  /** What speaks for a fresh container, as it was last said. */
  private saidOfRestart = '';

  constructor(private readonly deps: NotifierDeps) {
    deps.container.on('run', this.runChanged);
    deps.container.on('died', this.containerDied);
    deps.container.on('change', this.containerChanged);
    deps.container.on('change', this.restartChanged);
  }

  dispose(): void {
    this.deps.container.off('run', this.runChanged);
    this.deps.container.off('died', this.containerDied);
    this.deps.container.off('change', this.containerChanged);
    this.deps.container.off('change', this.restartChanged);
  }

  private readonly runChanged = (record: RunRecord): void => {
    const { panel, startedHere } = this.deps;
    if (!isFinal(record.state) || !startedHere.delete(record.runId)) {
      return;
    }
    const error = record.result?.error;
    if (!panel.isVisible && error?.code !== CONTAINER_DIED) {
      this.tellEnd(record, error?.message);
    }
  };

  private tellEnd({ runId, state, best }: RunRecord, reason: string | undefined): void {
    const { deps } = this;
    const actions = [
      commandAction(deps, 'Show Run', 'openRun', { runId }),
      commandAction(deps, 'Show Log', 'showLog', { runId }),
    ];
    if (state === 'failed') {
      offer(deps, 'showErrorMessage', `The training failed: ${reason ?? 'see its log'}`, actions);
      return;
    }
    const accuracy = best === undefined ? '' : ` with val_acc ${formatPercent(best.val_acc)}`;
    const what = state === 'stopped' ? 'was stopped' : 'is done';
    offer(deps, 'showInformationMessage', `The training ${what}${accuracy}.`, actions);
  }

  /** A container that was left warm asks once; the answer is nobody's duty, since it is let go by itself. */
  private readonly containerChanged = (): void => {
    const { deps } = this;
    const { letGoInMs, usage, pricePerHour } = deps.container.view;
    const isAsking = letGoInMs !== undefined && letGoInMs !== null;
    if (!isAsking || this.hasAsked) {
      this.hasAsked = isAsking;
      return;
    }
    this.hasAsked = true;
    const cost = containerCost(usage, pricePerHour, null);
    const spent = cost === undefined ? '' : ` It has cost ${cost.soFar} so far.`;
    const text =
      `The Tiny Cats container has been left warm without a run.${spent} ` +
      `It is let go in ${formatDuration(letGoInMs)} unless you keep it.`;
    offer(deps, 'showWarningMessage', text, [
      {
        title: 'Keep',
        run: () => deps.container.keepWarm().catch((error: unknown) => reportError(deps, error)),
      },
      commandAction(deps, 'Let Go', 'coolDown'),
    ]);
  };

  /** Said once, and only where the panel does not say it. */
  private readonly restartChanged = (): void => {
    const { deps } = this;
    const { heldMemory, restartNeeded, state } = deps.container.view;
    const text = restartNeeded ?? (heldMemory === null ? '' : `${heldMemoryText(heldMemory)}.`);
    if (state === 'training' || text === this.saidOfRestart) {
      return;
    }
    this.saidOfRestart = text;
    if (text !== '' && !deps.panel.isVisible) {
      offer(deps, 'showWarningMessage', `Tiny Cats: ${text}`, [
        commandAction(deps, 'Restart Container', 'restartContainer'),
      ]);
    }
  };

  private readonly containerDied = (runIds: readonly string[]): void => {
    const { deps } = this;
    const [runId] = runIds;
    const text =
      'The Tiny Cats container died in the middle of a run. What the run had saved is kept, and it is marked as failed.';
    offer(deps, 'showErrorMessage', text, [
      commandAction(deps, 'Rerun', 'rerun', { runId }),
      commandAction(deps, 'Show Log', 'showLog', { runId }),
    ]);
  };
}
