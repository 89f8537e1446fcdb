import type { ContainerView, HostToPanel } from '../protocol/panel';
import type { RunRecord } from '../protocol/run';

/** What other extensions, and the tests, may see of Tiny Cats. Nothing in it changes anything. */
export interface TinyCatsApi {
  readonly container: ContainerView;
  /** Run in the container now. */
  readonly runningRunId: string | undefined;
  /** Text of the status bar item, icon included. */
  readonly statusText: string;
  /** The run history as far as it was read, newest first. */
  readonly runs: readonly RunRecord[];
  /** Children of the history view's root, or of one of its nodes. */
  historyItems(): Promise<readonly HistoryEntry[]>;
  /** Whether the panel is there and in sight. */
  readonly panelVisible: boolean;
  /** The newest messages to the panel's page, oldest first. */
  readonly panelMessages: readonly HostToPanel[];
  /** Calls `listener` when anything of the above has changed. */
  onDidChange(listener: () => void): { dispose(): void };
}

/** An item of the history as the view shows it. */
export interface HistoryEntry {
  label: string;
  description: string;
  contextValue: string;
  checkpoints: readonly HistoryEntry[];
}
