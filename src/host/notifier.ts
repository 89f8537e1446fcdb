import type { RunRecord } from '../protocol/run';
import { isFinal } from '../protocol/run';
import type { MessageDeps } from './commands/messages';
import { commandAction, offer } from './commands/messages';
import type { ContainerModel } from './container/containerModel';
import { formatPercent } from './format';
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
  constructor(private readonly deps: NotifierDeps) {
    deps.container.on('run', this.runChanged);
    deps.container.on('died', this.containerDied);
  }

  dispose(): void {
    this.deps.container.off('run', this.runChanged);
    this.deps.container.off('died', this.containerDied);
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
