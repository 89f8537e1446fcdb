import { dirname } from 'node:path';
import type * as vscode from 'vscode';
import type { HistoryEntry } from '../api';
import { VIEWS } from '../contributions';
import type { Disposable } from '../disposables';
import { DisposableStore } from '../disposables';
import type { Environment } from '../environment';
import type { OutputsVolume } from '../../volume/outputsVolume';
import type { HistoryModel, HistoryVolume } from './historyModel';
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
      // What changed while nobody looked.
      void history.refresh().then(() => watch.follow(history.places));
    } else {
      watch.stop();
    }
  };
  store.add(view.onDidChangeVisibility(update));
  // A target may have its first run.
  const onHistory = (): void => {
    if (view.visible) {
      watch.follow(history.places);
    }
  };
  history.on('change', onHistory);
  store.add({ dispose: () => history.off('change', onHistory) });
  store.add(
    deps.environment.onChange(() => {
      watch.stop();
      update();
    }),
  );
  return { entries: () => tree.entries(), dispose: () => store.dispose() };
}

/** Watches the run.json files of every target's volume as it is here. */
class Watch {
  private readonly watchers = new Map<string, vscode.FileSystemWatcher>();
  private timer: NodeJS.Timeout | undefined;
  /** Folders of runs, with the volume that each is in. */
  private readonly changed = new Map<string, OutputsVolume>();

  constructor(private readonly deps: HistoryViewDeps) {}

  /** From now on these and no others. */
  follow(places: readonly HistoryVolume[]): void {
    const { vs } = this.deps;
    const wanted = new Map(places.map(({ volume }) => [volume.root, volume]));
    for (const [root, watcher] of this.watchers) {
      if (!wanted.has(root)) {
        watcher.dispose();
        this.watchers.delete(root);
      }
    }
    for (const [root, volume] of wanted) {
      if (!this.watchers.has(root)) {
        const pattern = new vs.RelativePattern(vs.Uri.file(root), '**/run.json');
        const watcher = vs.workspace.createFileSystemWatcher(pattern);
        const note = (uri: vscode.Uri): void => this.note(uri, volume);
        watcher.onDidCreate(note);
        watcher.onDidChange(note);
        watcher.onDidDelete(note);
        this.watchers.set(root, watcher);
      }
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.changed.clear();
    this.follow([]);
  }

  dispose(): void {
    this.stop();
  }

  private note(uri: vscode.Uri, volume: OutputsVolume): void {
    this.changed.set(dirname(uri.fsPath), volume);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const changed = [...this.changed];
      this.changed.clear();
      void this.read(changed);
    }, WATCH_DELAY_MS);
  }

  private async read(changed: readonly (readonly [string, OutputsVolume])[]): Promise<void> {
    const { history } = this.deps;
    const records = await Promise.all(changed.map(([dir, volume]) => volume.readRecord(dir)));
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
