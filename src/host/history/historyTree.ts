import { join } from 'node:path';
import type * as vscode from 'vscode';
import type { HistoryEntry } from '../api';
import { LOCAL_TARGET } from '../../targets/config';
import type { LiveRun } from '../container/liveRun';
import type { SweepModel } from '../sweeps/sweepModel';
import { sweepItem } from '../sweeps/sweepItem';
import { ranking, trialTitle } from '../../protocol/sweep';
import { COMMANDS, VIEWS } from '../contributions';
import type { HistoryModel } from './historyModel';
import type { ItemFacts } from './runItem';
import { Paced } from './paced';
import { checkpointItem, runItem } from './runItem';

/**
 * VS Code reads a tree anew once its changes have come to a rest of 200 ms: a run with shorter epochs would keep its row
 * as it was, and a new run out of the tree, until it ends. Changes further apart than that are each read at once.
 */
const CHANGES_APART_MS = 300;

export type HistoryNode =
  | { type: 'sweep'; sweepId: string }
  | { type: 'run'; runId: string; sweepId?: string }
  | { type: 'checkpoint'; runId: string; file: string };

export interface HistoryTreeDeps {
  vs: Pick<
    typeof vscode,
    | 'EventEmitter'
    | 'MarkdownString'
    | 'ThemeColor'
    | 'ThemeIcon'
    | 'TreeItem'
    | 'TreeItemCollapsibleState'
    | 'Uri'
  >;
  history: HistoryModel;
  live: LiveRun;
  /** The chosen one. */
  targetName: () => string;
  sweeps: Pick<SweepModel, 'find' | 'off' | 'ofRun' | 'on' | 'sweeps'>;
}

/** The run history: sweeps with their runs, the best first, other runs, and under each run its checkpoints. */
export class HistoryTree implements vscode.TreeDataProvider<HistoryNode> {
  private readonly changed: vscode.EventEmitter<undefined>;
  private readonly pace: Paced;
  readonly onDidChangeTreeData: vscode.Event<undefined>;

  constructor(private readonly deps: HistoryTreeDeps) {
    this.changed = new deps.vs.EventEmitter();
    this.onDidChangeTreeData = this.changed.event;
    this.pace = new Paced(() => this.changed.fire(undefined), CHANGES_APART_MS);
    deps.history.on('change', this.pace.ask);
    deps.live.on('change', this.pace.ask);
    deps.sweeps.on('change', this.pace.ask);
  }

  dispose(): void {
    this.deps.history.off('change', this.pace.ask);
    this.deps.live.off('change', this.pace.ask);
    this.deps.sweeps.off('change', this.pace.ask);
    this.pace.dispose();
    this.changed.dispose();
  }

  async getChildren(node?: HistoryNode): Promise<HistoryNode[]> {
    const { history } = this.deps;
    if (node === undefined) {
      await history.ensureLoaded();
      return this.roots();
    }
    if (node.type === 'sweep') {
      return this.runsOf(node.sweepId);
    }
    if (node.type === 'checkpoint') {
      return [];
    }
    const checkpoints = history.find(node.runId)?.record.checkpoints ?? [];
    return checkpoints.map(({ file }) => ({ type: 'checkpoint', runId: node.runId, file }));
  }

  /** A sweep stands where its newest run would; one that has none yet stands first. */
  private roots(): HistoryNode[] {
    const { history, sweeps } = this.deps;
    const nodes: HistoryNode[] = [];
    const placed = new Set<string>();
    for (const { record } of history.runs) {
      const sweepId = sweeps.ofRun(record)?.sweepId;
      if (sweepId === undefined) {
        nodes.push({ type: 'run', runId: record.runId });
      } else if (!placed.has(sweepId)) {
        placed.add(sweepId);
        nodes.push({ type: 'sweep', sweepId });
      }
    }
    const others = sweeps.sweeps.filter(({ sweepId, target }) => !placed.has(sweepId) && target === 'local');
    return [...others.map(({ sweepId }): HistoryNode => ({ type: 'sweep', sweepId })), ...nodes];
  }

  private runsOf(sweepId: string): HistoryNode[] {
    const { history, sweeps } = this.deps;
    const trials = sweeps.find(sweepId)?.trials ?? [];
    return ranking(trials).flatMap((index) => {
      const runId = trials[index]?.runId;
      return runId === undefined || history.find(runId) === undefined
        ? []
        : [{ type: 'run', runId, sweepId }];
    });
  }

  /** All that the view shows. */
  async entries(node?: HistoryNode): Promise<HistoryEntry[]> {
    const nodes = await this.getChildren(node);
    return Promise.all(
      nodes.map(async (child) => {
        const { label, description, contextValue } = this.facts(child) ?? {};
        return {
          label: label ?? '',
          description: description ?? '',
          contextValue: contextValue ?? '',
          checkpoints: await this.entries(child),
        };
      }),
    );
  }

  getParent(node: HistoryNode): HistoryNode | undefined {
    switch (node.type) {
      case 'sweep':
        return undefined;
      case 'run':
        return node.sweepId === undefined ? undefined : { type: 'sweep', sweepId: node.sweepId };
      case 'checkpoint':
        return { type: 'run', runId: node.runId };
    }
  }

  getTreeItem(node: HistoryNode): vscode.TreeItem {
    const { vs, history } = this.deps;
    const facts = this.facts(node);
    if (node.type === 'sweep') {
      return this.sweepTreeItem(node, facts);
    }
    const run = history.find(node.runId);
    if (facts === undefined || run === undefined) {
      return new vs.TreeItem(node.runId);
    }
    const { None, Collapsed } = vs.TreeItemCollapsibleState;
    if (node.type === 'run') {
      const item = this.treeItem(facts, run.record.checkpoints.length === 0 ? None : Collapsed);
      item.id = node.runId;
      item.command = { command: COMMANDS.openRun.id, title: 'Open Run', arguments: [node] };
      return item;
    }
    const item = this.treeItem(facts, None);
    item.id = `${node.runId}/${node.file}`;
    item.command =
      run.target === LOCAL_TARGET.name
        ? {
            command: 'vscode.openWith',
            title: 'Inspect Checkpoint',
            arguments: [vs.Uri.file(join(run.dir, node.file)), VIEWS.checkpointEditor],
          }
        : { command: COMMANDS.inspectCheckpoint.id, title: 'Inspect Checkpoint', arguments: [node] };
    return item;
  }

  private sweepTreeItem(
    node: { type: 'sweep'; sweepId: string },
    facts: ItemFacts | undefined,
  ): vscode.TreeItem {
    const { vs } = this.deps;
    if (facts === undefined) {
      return new vs.TreeItem(node.sweepId);
    }
    const item = this.treeItem(facts, vs.TreeItemCollapsibleState.Collapsed);
    item.id = node.sweepId;
    item.command = { command: COMMANDS.openSweep.id, title: 'Compare Trainings', arguments: [node] };
    return item;
  }

  private facts(node: HistoryNode): ItemFacts | undefined {
    const { history, live, sweeps } = this.deps;
    if (node.type === 'sweep') {
      const sweep = sweeps.find(node.sweepId);
      return sweep === undefined ? undefined : sweepItem(sweep);
    }
    const run = history.find(node.runId);
    if (run === undefined) {
      return undefined;
    }
    if (node.type === 'run') {
      const progress = live.progress?.runId === node.runId ? live.progress : undefined;
      const isElsewhere = run.target !== this.deps.targetName();
      const facts = runItem(run.record, progress, { target: run.target, isElsewhere });
      const trial = run.record.sweep && sweeps.ofRun(run.record)?.trials[run.record.sweep.trial];
      return trial === undefined ? facts : { ...facts, label: trialTitle(trial) };
    }
    const checkpoint = run.record.checkpoints.find(({ file }) => file === node.file);
    return checkpoint === undefined
      ? undefined
      : checkpointItem(checkpoint, node.runId, run.target !== LOCAL_TARGET.name);
  }

  private treeItem(facts: ItemFacts, collapsible: vscode.TreeItemCollapsibleState): vscode.TreeItem {
    const { vs } = this.deps;
    const { id, color } = facts.icon;
    const item = new vs.TreeItem(facts.label, collapsible);
    item.description = facts.description;
    item.tooltip = new vs.MarkdownString(facts.tooltip);
    item.iconPath =
      color === undefined ? new vs.ThemeIcon(id) : new vs.ThemeIcon(id, new vs.ThemeColor(color));
    item.contextValue = facts.contextValue;
    item.accessibilityInformation = { label: facts.accessibilityLabel };
    return item;
  }
}
