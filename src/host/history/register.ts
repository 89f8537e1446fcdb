import { dirname } from 'node:path';
import type * as vscode from 'vscode';
import type { HistoryEntry } from '../api';
import { VIEWS } from '../contributions';
import type { Disposable } from '../disposables';
import { DisposableStore } from '../disposables';
import type { Environment } from '../environment';
import type { OutputsVolume } from '../../volume/outputsVolume';
import type { HistoryModel } from './historyModel';
import type { HistoryNode } from './historyTree';
import { HistoryTree } from './historyTree';
import type { SweepModel } from '../sweeps/sweepModel';
import type { LiveRun } from '../container/liveRun';

const WATCH_DELAY_MS = 150;

export interface HistoryViewDeps {
  vs: typeof vscode;
  environment: Environment;
  history: HistoryModel;
  live: LiveRun;
  sweeps: SweepModel;
  volume: () => OutputsVolume | undefined;
  /** Looks for a living container; never starts one. */
  find: () => void;
}

/** The history view. While it is visible it hears of runs of other windows and of the command line as well. */
export function registerHistoryView(
  deps: HistoryViewDeps,
): Disposable & { entries: () => Promise<HistoryEntry[]> } {
  const { vs, history, live, sweeps } = deps;
  const store = new DisposableStore();
  const tree = store.add(
    new HistoryTree({ vs, history, live, sweeps, targetName: () => deps.environment.targetName }),
  );
  const view: vscode.TreeView<HistoryNode> = store.add(
    vs.window.createTreeView(VIEWS.history, { treeDataProvider: tree, showCollapseAll: true }),
  );
  const watch = store.add(new Watch(deps));
  const update = (): void => {
    if (view.visible) {
      deps.find();
      watch.start();
      // What changed while nobody looked.
      void history.refresh();
    } else {
      watch.stop();
    }
  };
  store.add(view.onDidChangeVisibility(update));
  store.add(
    deps.environment.onChange(() => {
      watch.stop();
      update();
    }),
  );
  return { entries: () => tree.entries(), dispose: () => store.dispose() };
}

/** Watches the volume's run.json files. */
class Watch {
  private watcher: vscode.FileSystemWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly changed = new Set<string>();

  constructor(private readonly deps: HistoryViewDeps) {}

  start(): void {
    const root = this.deps.volume()?.root;
    if (this.watcher !== undefined || root === undefined) {
      return;
    }
    const { vs } = this.deps;
    const pattern = new vs.RelativePattern(vs.Uri.file(root), '**/run.json');
    this.watcher = vs.workspace.createFileSystemWatcher(pattern);
    this.watcher.onDidCreate((uri) => this.note(uri));
    this.watcher.onDidChange((uri) => this.note(uri));
    this.watcher.onDidDelete((uri) => this.note(uri));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.changed.clear();
    this.watcher?.dispose();
    this.watcher = undefined;
  }

  dispose(): void {
    this.stop();
  }

  private note(uri: vscode.Uri): void {
    this.changed.add(dirname(uri.fsPath));
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const dirs = [...this.changed];
      this.changed.clear();
      void this.read(dirs);
    }, WATCH_DELAY_MS);
  }

  private async read(dirs: readonly string[]): Promise<void> {
    const { history, volume } = this.deps;
    const records = await Promise.all(dirs.map(async (dir) => volume()?.readRecord(dir)));
    if (records.some((record) => record === undefined)) {
      // Deleted, or just being replaced.
      await history.refresh();
    }
    for (const record of records) {
      if (record !== undefined) {
        await history.apply(record);
      }
    }
  }
}
