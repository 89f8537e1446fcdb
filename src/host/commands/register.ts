import type * as vscode from 'vscode';
import { SendingCancelled } from '../../client/remoteSide';
import type { CommandName } from '../contributions';
import { COMMANDS, namesAndValues } from '../contributions';
import type { Disposable } from '../disposables';
import { DisposableStore } from '../disposables';
import { MachineCheck } from './checkMachine';
import { askDataFolder, browseDataFolder } from './dataFolder';
import { exportModal } from './exportModal';
import { installEngine } from './installEngine';
import type { HostTargetDeps } from '../container/openTarget';
import { createScript } from '../code/createScript';
import { openLocation } from '../code/openLocation';
import { reportError } from './messages';
import type { RunActionsDeps } from './runActions';
import { RunActions, runIdOf } from './runActions';
import { showActions } from './showActions';
import { SweepActions } from '../sweeps/sweepActions';
import type { SweepModel } from '../sweeps/sweepModel';
import { clearModalToken, setModalToken } from '../targets/modalToken';
import { selectTarget } from '../targets/selectTarget';
import type { TrainingDeps } from './training';
import { Training } from './training';

export interface CommandDeps extends Omit<TrainingDeps, 'askDataFolder' | 'vs'>, Omit<RunActionsDeps, 'vs'> {
  vs: typeof vscode;
  /** Folder of the built files. */
  bundleDir: string;
  targetDeps: HostTargetDeps;
  secrets: vscode.SecretStorage;
  sweeps: SweepModel;
}

const STATUS_MESSAGE_MS = 8000;

/** Registers every command, and lets the panel's buttons do the same as they. */
export function registerCommands(deps: CommandDeps): Disposable & { training: Training } {
  const { vs, container, environment, history, panel, recipes } = deps;
  const ask = () => askDataFolder({ vs, environment });
  const training = new Training({ ...deps, askDataFolder: ask });
  const runs = new RunActions(deps);
  const store = new DisposableStore();
  const machine = store.add(new MachineCheck(vs, deps.bundleDir));
  const sweeps = new SweepActions(deps);

  const selectDataFolder = async (): Promise<void> => {
    const folder = await ask();
    if (folder !== undefined) {
      await recipes.setDataFolder(folder);
      panel.model?.setParameter('data_dir', folder);
    }
  };
  const offerActions = async (): Promise<void> => {
    await history.ensureLoaded();
    await showActions(vs, {
      view: container.view,
      isRunning: container.runningRunId !== undefined,
      isStopping: container.isStopping,
      mayTrain: environment.mayTrain,
      hasRuns: history.runs.length > 0,
    });
  };

  const handlers: Record<CommandName, (argument: unknown) => unknown> = {
    train: () => training.train(),
    rerun: (argument) => training.rerun(runIdOf(argument)),
    stop: () => training.stop(false),
    stopNow: () => training.stop(true),
    warmUp: () => training.warmUp(),
    coolDown: () => training.coolDown(),
    restartContainer: () => training.restart(),
    snapshotContainer: () => training.snapshot(),
    showPanel: () => panel.reveal(),
    showLog: (argument) => runs.showLog(argument),
    showActions: offerActions,
    inspectCheckpoint: (argument) => runs.inspect(argument),
    downloadCheckpoint: (argument) => runs.download(argument),
    selectDataFolder,
    refreshHistory: () => history.refresh(),
    resumeRun: (argument) => training.resume(runIdOf(argument)),
    openRun: (argument) => runs.open(argument),
    pinRun: (argument) => runs.setPinned(argument, true),
    unpinRun: (argument) => runs.setPinned(argument, false),
    revealRun: (argument) => runs.reveal(argument),
    copyRunId: (argument) => runs.copyId(argument),
    checkMachine: () => machine.show(),
    createScript: (argument) => {
      const { folder } = environment;
      if (!environment.mayTrain || folder === undefined) {
        throw new Error(environment.obstacle);
      }
      return createScript({ vs, folder }, argument);
    },
    installEngine: () => {
      if (!environment.isTrusted) {
        throw new Error(environment.obstacle);
      }
      return installEngine(vs, deps.bundleDir);
    },
    exportModal: () => exportModal(deps),
    selectTarget: () => selectTarget(deps),
    setModalToken: () => setModalToken(deps),
    clearModalToken: () => clearModalToken(deps),
    sweep: () => sweeps.begin(undefined),
    stopSweep: (argument) => sweeps.stop(argument),
    openSweep: (argument) => sweeps.open(argument),
  };

  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof SendingCancelled) {
        vs.window.setStatusBarMessage(`Tiny Cats: ${error.message}`, STATUS_MESSAGE_MS);
        return;
      }
      reportError(deps, error);
    }
  };
  const shownRun = (): { runId: string } | undefined => panel.model?.run;
  const answer = async (message: Parameters<typeof panel.onMessage>[0]): Promise<void> => {
    switch (message.type) {
      case 'train':
        return training.trainWith(message.recipe, message.params);
      case 'rerun':
        return training.rerun(shownRun()?.runId);
      case 'stop':
        return training.stop(message.kill);
      case 'sweep':
        return sweeps.begin(message);
      case 'stopSweep':
        return sweeps.stop(message);
      case 'openRun': {
        runs.open(message);
        return;
      }
      case 'chooseFolder': {
        const folder = await browseDataFolder({ vs, environment });
        if (folder !== undefined) {
          panel.model?.setParameter(message.name, folder);
        }
        return;
      }
      case 'inspect':
        return runs.inspect({ runId: shownRun()?.runId, file: message.file });
      case 'openLocation':
        return openLocation(vs, message.location.file, message.location.line, environment.folder);
      case 'restart':
        return training.restart();
      case 'openLog':
        return runs.showLog(shownRun());
    }
  };

  for (const [name, { id }] of namesAndValues(COMMANDS)) {
    const handler = handlers[name];
    store.add(vs.commands.registerCommand(id, (argument: unknown) => attempt(() => handler(argument))));
  }
  panel.onMessage = (message: Parameters<typeof panel.onMessage>[0]) => attempt(() => answer(message));
  return { training, dispose: () => store.dispose() };
}
