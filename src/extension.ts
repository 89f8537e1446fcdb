import { join } from 'node:path';
import * as vscode from 'vscode';
import type { TinyCatsApi } from './host/api';
import { createApi } from './host/createApi';
import { registerCommands } from './host/commands/register';
import { CodeModel } from './host/code/codeModel';
import { workspaceInterpreter } from './host/code/interpreter';
import { syncCode } from './host/code/syncCode';
import { ContainerModel } from './host/container/containerModel';
import { LiveRun } from './host/container/liveRun';
import { mayHaveContainer, openClient } from './host/container/openTarget';
import { SendingNotice, byNotification } from './host/container/sendingNotice';
import { RunFeeds } from './host/container/runFeed';
import { messageOf } from './host/container/rpcError';
import { trackContextKeys } from './host/contextKeys';
import { DisposableStore } from './host/disposables';
import { Environment } from './host/environment';
import { HistoryModel } from './host/history/historyModel';
import { registerHistoryView } from './host/history/register';
import { registerInspector } from './host/inspect/register';
import { Notifier } from './host/notifier';
import { PanelManager } from './host/panel/panelManager';
import { readSample } from './host/panel/sampleReader';
import { StrandedPanel } from './host/panel/strandedPanel';
import { RecipeStores } from './host/recipeStores';
import { syncSettings } from './host/settingsSync';
import { SweepModel } from './host/sweeps/sweepModel';
import { StatusItem } from './host/statusBar/statusItem';
import { storedCredentials } from './host/targets/modalToken';
import { UserQuestions } from './host/targets/userQuestions';
import { CLASSIFIER, DIT } from './protocol/recipes';

export type { TinyCatsApi } from './host/api';

/** Only composes: no file is read, no process started and nothing contacted before something is asked for. */
export function activate(context: vscode.ExtensionContext): TinyCatsApi {
  const { extensionUri, workspaceState } = context;
  const bundleDir = join(context.extensionPath, 'dist');
  const vs = vscode;

  // Disposed of in the opposite order: first what listens, last what it listens to.
  const store = new DisposableStore();
  context.subscriptions.push(store);
  const log = store.add(vs.window.createOutputChannel('Tiny Cats', { log: true }));
  const environment = new Environment(vs, CLASSIFIER);

  const questions = new UserQuestions(vs.window);
  const { secrets } = context;
  const targetDeps = { bundleDir, ask: questions, modalCredentials: storedCredentials(secrets) };
  const container = new ContainerModel({
    openClient: () => openClient(environment.usableSettings, targetDeps),
    wanted: () => questions.askAgain(),
    mayHaveContainer: () => mayHaveContainer(environment.usableSettings),
    targetName: () => environment.targetName,
    now: Date.now,
  });
  store.add({ dispose: () => container.close() });
  store.add(
    new SendingNotice({
      show: byNotification(vs),
      container,
      targetName: () => environment.targetName,
      now: () => performance.now(),
    }),
  );
  const history = new HistoryModel(() => environment.volumes());
  const volumeOf = (runId: string) => history.volumeOf(runId) ?? environment.volume;
  const feeds = new RunFeeds(volumeOf, container);
  const live = store.add(new LiveRun(container, feeds));
  container.on('run', (record) => void history.apply(record));
  const find = (): void => {
    if (environment.mayTrain) {
      container.find().catch((error: unknown) => log.warn(messageOf(error)));
      sweeps.revive().catch((error: unknown) => log.warn(messageOf(error)));
    }
  };

  const sweeps = store.add(
    new SweepModel(() => {
      const settings = environment.usableSettings;
      if (settings === undefined) {
        return undefined;
      }
      const { outputsDir, dataDir } = settings;
      return { bundleDir, outputsDir, dataDir, modalCredentials: targetDeps.modalCredentials };
    }),
  );
  // Its containers are not the one that this window is connected to.
  sweeps.on('runs', () => void history.refresh());
  sweeps.on('change', () => void feeds.catchUp());
  const code = new CodeModel({
    bundleDir,
    workspace: () => {
      const { folder, usableSettings: settings } = environment;
      const mayRun = environment.mayTrain && folder !== undefined && settings !== undefined;
      return mayRun ? { folder, settings } : undefined;
    },
    interpreter: (setting, folder) => workspaceInterpreter(vs, setting, folder),
  });
  const recipes = new RecipeStores(
    [CLASSIFIER, DIT],
    workspaceState,
    () => environment.defaultParameters,
    code,
  );
  const panel = store.add(
    new PanelManager({
      sweeps,
      vs,
      extensionUri,
      log,
      recipes,
      container,
      feeds,
      history,
      find,
      readSample: async (runId, file) => {
        const outputs = volumeOf(runId);
        return outputs === undefined ? null : readSample(outputs, runId, file);
      },
      mayTrain: () => environment.mayTrain,
    }),
  );
  store.add(new StrandedPanel(vs, panel));
  const status = store.add(new StatusItem({ vs, container, live, environment, sweeps, now: Date.now }));
  const view = store.add(registerHistoryView({ vs, environment, history, live, sweeps, find }));
  store.add(registerInspector(context, { vscode: vs, log }));
  store.add(trackContextKeys(vs, container));
  store.add(syncCode({ vs, code, environment, panel, log }));
  store.add(syncSettings({ environment, container, history, panel, log }));
  const commands = store.add(
    registerCommands({
      ...{ vs, log, environment, container, history, panel, recipes, sweeps, code, bundleDir },
      ...{ targetDeps, secrets },
    }),
  );
  const { startedHere } = commands.training;
  store.add(new Notifier({ vs, log, container, panel, startedHere }));

  // A container of before the reload is found again, once activation is over.
  const timer = setTimeout(find, 0);
  store.add({ dispose: () => clearTimeout(timer) });
  return createApi({ container, live, history, panel, status, historyItems: view.entries });
}
