import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type * as vscode from 'vscode';
import { isFinal } from '../../protocol/run';
import { LOCAL_TARGET } from '../../targets/config';
import { RUN_FILES } from '../../volume/outputsVolume';
import type { DownloadOptions } from '../../transfer/download';
import type { ContainerModel } from '../container/containerModel';
import { fetchFromTarget } from '../container/fetchFromTarget';
import type { HostTargetDeps } from '../container/openTarget';
import { VIEWS } from '../contributions';
import type { Environment } from '../environment';
import { formatAge, formatBytes, formatPercent } from '../format';
import type { HistoryModel, HistoryRun } from '../history/historyModel';
import { checkpointReaders } from '../inspect/checkpointReader';
import { formatTime } from '../history/runItem';
import type { PanelManager } from '../panel/panelManager';

export interface RunActionsDeps {
  vs: Pick<typeof vscode, 'ProgressLocation' | 'Uri' | 'commands' | 'env' | 'window'>;
  environment: Environment;
  container: ContainerModel;
  history: HistoryModel;
  panel: PanelManager;
  targetDeps: HostTargetDeps;
}

const nodeSchema = v.object({ runId: v.string(), file: v.optional(v.string()) });

/** The run that a command was called for: an item of the history, or whoever calls it names one. */
export function runIdOf(argument: unknown): string | undefined {
  const node = v.safeParse(nodeSchema, argument);
  return node.success ? node.output.runId : undefined;
}

interface NamedCheckpoint {
  run: HistoryRun;
  file: string;
  /** Where it is, or is to be, on this machine. */
  path: string;
}

/** What can be done with a run that is there already. */
export class RunActions {
  constructor(private readonly deps: RunActionsDeps) {}

  open(argument: unknown): void {
    const runId = runIdOf(argument);
    if (runId !== undefined) {
      this.deps.panel.show(runId);
    }
  }

  /** The named run's log; without one that of the run in the container, or in the panel, or the newest. */
  async showLog(argument: unknown): Promise<void> {
    const { vs, container, panel } = this.deps;
    const run = await this.find(runIdOf(argument) ?? container.runningRunId ?? panel.model?.run?.runId);
    if (run === undefined) {
      void vs.window.showInformationMessage('There is no run yet, so there is no log.');
      return;
    }
    const path = join(run.dir, RUN_FILES.log);
    await access(path).catch(() => {
      throw new Error(`Run ${run.record.runId} has no log: "${path}" is not there.`);
    });
    await vs.window.showTextDocument(vs.Uri.file(path), { preview: true });
  }

  /** Brings a checkpoint of a run on another machine here. */
  async download(argument: unknown): Promise<void> {
    const { vs } = this.deps;
    const named = await this.checkpoint(argument);
    if (named !== undefined) {
      await this.bringHere(named);
      const inspect = 'Inspect';
      const chosen = await vs.window.showInformationMessage(
        `${named.file} of run ${named.run.record.runId} is here, whole: ${named.path}`,
        inspect,
      );
      if (chosen === inspect) {
        await this.openFile(named.path);
      }
    }
  }

  /** The checkpoint that an item of the history or the panel names; undefined if it names none. */
  private async checkpoint(argument: unknown): Promise<NamedCheckpoint | undefined> {
    const node = v.safeParse(nodeSchema, argument);
    if (!node.success || node.output.file === undefined) {
      return undefined;
    }
    const { runId, file } = node.output;
    const run = await this.find(runId);
    // Only what the record names: a message from a page must not choose a path.
    if (run?.record.checkpoints.some((checkpoint) => checkpoint.file === file) !== true) {
      throw new Error(`Run ${runId} has no checkpoint "${file}" any more.`);
    }
    return { run, file, path: join(run.dir, file) };
  }

  /** Opens a checkpoint; asks which if none is named. */
  async inspect(argument: unknown): Promise<void> {
    const { history } = this.deps;
    let named = await this.checkpoint(argument);
    if (named === undefined) {
      await history.ensureLoaded();
      const runId = runIdOf(argument);
      named = await this.askCheckpoint(runId === undefined ? undefined : await this.find(runId));
    }
    if (named !== undefined) {
      await this.bringHere(named);
      await this.openFile(named.path);
    }
  }

  private async openFile(path: string): Promise<void> {
    const { vs } = this.deps;
    const uri = vs.Uri.file(path);
    // Files that the user's own code wrote can be of any kind.
    await (checkpointReaders.some((reader) => reader.matches(uri.fsPath))
      ? vs.commands.executeCommand('vscode.openWith', uri, VIEWS.checkpointEditor)
      : vs.commands.executeCommand('vscode.open', uri));
  }

  /** A checkpoint of a container elsewhere stays there until somebody asks for it. */
  private async bringHere({ run, file, path }: NamedCheckpoint): Promise<void> {
    const { vs, container, environment, targetDeps } = this.deps;
    const { runId, state } = run.record;
    const isHere = await access(path).then(
      () => true,
      () => false,
    );
    // The best one of a run that goes on is written again and again.
    if (run.target === LOCAL_TARGET.name || (isHere && isFinal(state))) {
      return;
    }
    const isChosen = run.target === environment.targetName;
    if (!isChosen && isHere) {
      return;
    }
    await vs.window.withProgress(
      { location: vs.ProgressLocation.Notification, title: `Tiny Cats: fetching ${file}`, cancellable: true },
      async (report, token) => {
        const cancel = new AbortController();
        token.onCancellationRequested(() =>
          cancel.abort(new Error('The download was cancelled; it goes on from there.')),
        );
        let told = 0;
        const options: DownloadOptions = {
          signal: cancel.signal,
          progress: (received, total) => {
            const percent = (received / total) * 100;
            report.report({
              increment: percent - told,
              message: `${formatBytes(received)} of ${formatBytes(total)}`,
            });
            told = percent;
          },
        };
        await (isChosen
          ? container.fetch(runId, file, options)
          : fetchFromTarget(run, file, environment.requireSettings(), targetDeps, options));
      },
    );
  }

  async setPinned(argument: unknown, pinned: boolean): Promise<void> {
    const { container, environment } = this.deps;
    const runId = runIdOf(argument);
    if (runId === undefined) {
      return;
    }
    if (!environment.mayTrain) {
      throw new Error(environment.obstacle);
    }
    await container.setPinned(runId, pinned);
  }

  /** In the system's file manager; where that is another machine's, in the explorer. */
  async reveal(argument: unknown): Promise<void> {
    const { vs } = this.deps;
    const run = await this.find(runIdOf(argument));
    if (run !== undefined) {
      const command = vs.env.remoteName === undefined ? 'revealFileInOS' : 'revealInExplorer';
      await vs.commands.executeCommand(command, vs.Uri.file(join(run.dir, RUN_FILES.record)));
    }
  }

  async copyId(argument: unknown): Promise<void> {
    const runId = runIdOf(argument);
    if (runId !== undefined) {
      await this.deps.vs.env.clipboard.writeText(runId);
    }
  }

  private async find(runId: string | undefined): Promise<HistoryRun | undefined> {
    const { history } = this.deps;
    await history.ensureLoaded();
    return runId === undefined ? history.runs[0] : history.find(runId);
  }

  private async askCheckpoint(run: HistoryRun | undefined): Promise<NamedCheckpoint | undefined> {
    const { vs, history } = this.deps;
    const items = (run === undefined ? history.runs : [run]).flatMap((each) =>
      each.record.checkpoints.map(({ kind, file, epoch, step, bytes, val_acc: valAcc }) => ({
        label: `$(${kind === 'best' ? 'star-full' : 'save'}) ${formatTime(each.record.createdAt)} ${each.record.recipe}: ${kind}`,
        description: [
          formatAge({ epoch, step }),
          ...(valAcc === null ? [] : [`val_acc ${formatPercent(valAcc)}`]),
          formatBytes(bytes),
        ].join(' · '),
        named: { run: each, file, path: join(each.dir, file) },
      })),
    );
    if (items.length === 0) {
      void vs.window.showInformationMessage(
        'There is no checkpoint yet. A run saves one with its first epoch.',
      );
      return undefined;
    }
    const chosen = await vs.window.showQuickPick(items, {
      title: 'Tiny Cats: inspect a checkpoint',
      matchOnDescription: true,
    });
    return chosen?.named;
  }
}
