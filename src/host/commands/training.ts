import type * as vscode from 'vscode';
import type { ParameterProblem, ParameterValues, RecipeSpec } from '../../protocol/parameters';
import { ParameterError, checkParameters } from '../../protocol/parameters';
import { findRecipe } from '../../protocol/recipes';
import { ErrorCode } from '../../protocol/rpc';
import type { RunRecord } from '../../protocol/run';
import type { ContainerOptions } from '../../targets/target';
import type { CodeModel } from '../code/codeModel';
import type { ContainerModel } from '../container/containerModel';
import { errorCodeOf, parameterProblemsOf } from '../container/rpcError';
import type { Environment } from '../environment';
import type { HistoryModel } from '../history/historyModel';
import type { PanelManager } from '../panel/panelManager';
import { resolveParameters } from '../parameterStore';
import type { RecipeStores } from '../recipeStores';
import type { HostSettings } from '../settings';
import { containerSettings } from '../settings';
import type { MessageDeps } from './messages';
import { commandAction, offer } from './messages';

export interface TrainingDeps extends MessageDeps {
  vs: Pick<typeof vscode, 'commands' | 'window' | 'ProgressLocation'>;
  environment: Environment;
  container: ContainerModel;
  history: HistoryModel;
  panel: PanelManager;
  recipes: RecipeStores;
  code: CodeModel;
  /** Asks what to train on. @returns undefined if the user did not say */
  askDataFolder: () => Promise<string | undefined>;
}

const STATUS_MESSAGE_MS = 5000;

/** Starts and ends runs and containers, as commands and the panel ask for it. */
export class Training {
  /** Runs that the user started from this window. */
  readonly startedHere = new Set<string>();

  constructor(private readonly deps: TrainingDeps) {}

  /** With the values of last time; asks for a data folder if nobody ever named one. */
  async train(): Promise<void> {
    const { recipes } = this.deps;
    if (!this.mayTrain()) {
      return;
    }
    // Settings that cannot be used are said before anything is asked.
    this.workspace();
    const recipe = await this.choose();
    if (recipe === undefined) {
      return;
    }
    const asksForData = recipe.parameters.some(({ type }) => type === 'folder');
    if (asksForData && !recipes.of(recipe).hasDataFolder) {
      const folder = await this.deps.askDataFolder();
      if (folder === undefined) {
        return;
      }
      await recipes.setDataFolder(folder);
    }
    await this.trainWith(recipe.name, recipes.of(recipe).values);
  }

  /** What to train, which is asked where there is code of the user's own. */
  private async choose(): Promise<RecipeSpec | undefined> {
    const { code, recipes, vs } = this.deps;
    if ((await code.refresh()) === undefined) {
      return recipes.next;
    }
    const { next } = recipes;
    const items = [next, ...recipes.all.filter((recipe) => recipe !== next)].map((recipe) => ({
      label: recipe.title,
      description: recipe.description.split('\n')[0] ?? '',
      recipe,
    }));
    return (await vs.window.showQuickPick(items, { placeHolder: 'What to train' }))?.recipe;
  }

  /** With the values of the panel's form; they are the next training's as well. */
  async trainWith(recipeName: string, values: ParameterValues): Promise<void> {
    if (!this.mayTrain()) {
      return;
    }
    const { code, recipes } = this.deps;
    if (findRecipe(recipeName) === undefined) {
      // The form's values are for the code as it is now.
      await code.refresh();
    }
    const recipe = recipes.find(recipeName);
    const { settings, folder } = this.workspace();
    const params = this.check(recipe, resolveParameters(recipe, values, folder));
    if (params !== undefined) {
      await recipes.keep(recipe, values);
      await this.start(recipe, params, settings);
    }
  }

  /** With the parameters of that run, or of the newest. */
  async rerun(runId: string | undefined): Promise<void> {
    if (!this.mayTrain()) {
      return;
    }
    const { history, container, vs } = this.deps;
    await history.ensureLoaded();
    const run = runId === undefined ? history.runs[0] : history.find(runId);
    if (run === undefined) {
      offer(this.deps, 'showInformationMessage', 'There is no run yet that could be run again.', [
        commandAction(this.deps, 'Train', 'train'),
      ]);
      return;
    }
    const recipe = await this.recipeOf(run.record);
    const params = this.check(recipe, stillKnown(recipe, run.record));
    if (params === undefined) {
      return;
    }
    await container.find().catch(() => false);
    if (container.view.state === 'cold') {
      vs.window.setStatusBarMessage(
        'Tiny Cats: no container is warm, so this run starts one',
        STATUS_MESSAGE_MS,
      );
    }
    await this.start(recipe, params, this.workspace().settings);
  }

  /** Ends the run in the container. @param now without waiting for its step */
  async stop(now: boolean): Promise<void> {
    const { container, environment, vs } = this.deps;
    if (!environment.mayTrain) {
      this.explainObstacle();
      return;
    }
    await container.find();
    const runId = container.runningRunId;
    if (runId === undefined) {
      vs.window.setStatusBarMessage('Tiny Cats: nothing trains', STATUS_MESSAGE_MS);
      return;
    }
    await container.stop(runId, now);
  }

  async warmUp(): Promise<void> {
    if (this.mayTrain()) {
      await this.deps.container.warmUp(this.options());
    }
  }

  async coolDown(): Promise<void> {
    const { container, environment, vs } = this.deps;
    if (!environment.mayTrain) {
      this.explainObstacle();
      return;
    }
    if (!(await container.find())) {
      vs.window.setStatusBarMessage('Tiny Cats: no container is warm', STATUS_MESSAGE_MS);
      return;
    }
    if (container.runningRunId !== undefined) {
      const stop = 'Stop and Cool Down';
      const question =
        'A run trains in the container. Stop it, keep its checkpoint and let the container go?';
      if ((await vs.window.showWarningMessage(question, { modal: true }, stop)) !== stop) {
        return;
      }
    }
    await container.cool();
  }

  /** For a container that does not answer or speaks another version: ends it and starts a new one. */
  async restart(): Promise<void> {
    if (this.mayTrain()) {
      await this.deps.container.kill();
      await this.warmUp();
    }
  }

  /** Keeps the memory of the warm container, from which its next start is restored. */
  async snapshot(): Promise<void> {
    const { container, vs } = this.deps;
    await vs.window.withProgress(
      { location: vs.ProgressLocation.Notification, title: 'Tiny Cats: making a snapshot of the container' },
      () => container.snapshot(),
    );
    const text = 'Tiny Cats: the next start of the container is restored from its snapshot';
    vs.window.setStatusBarMessage(text, STATUS_MESSAGE_MS);
  }

  /** Goes on with a run that failed or was stopped, from its last checkpoint, in a new run. */
  async resume(runId: string | undefined): Promise<void> {
    if (!this.mayTrain() || runId === undefined) {
      return;
    }
    const { container, environment, history, panel } = this.deps;
    await history.ensureLoaded();
    const target = history.find(runId)?.target;
    if (target !== undefined && target !== environment.targetName) {
      throw new Error(
        `The checkpoint of run ${runId} is on "${target}", which is not the chosen target. "Tiny Cats: Select Target" chooses it.`,
      );
    }
    const begun = await container.resume(runId, this.options(), {
      whenBusy: this.workspace().settings.whenBusy,
    });
    this.startedHere.add(begun);
    panel.show(begun);
  }

  /** @throws Error if it is not there any more */
  private async recipeOf({ recipe, entrypoint }: RunRecord): Promise<RecipeSpec> {
    const spec = entrypoint === undefined ? findRecipe(recipe) : await this.deps.code.describe(entrypoint);
    if (spec === undefined) {
      throw new Error(`This version of Tiny Cats has no recipe "${recipe}".`);
    }
    return spec;
  }

  private async start(
    recipe: RecipeSpec,
    params: ParameterValues,
    settings: HostSettings,
    whenBusy = settings.whenBusy,
  ): Promise<void> {
    const { container, panel } = this.deps;
    panel.show(null);
    try {
      const options = this.optionsOf(settings, recipe, params);
      const runId = await container.train(options.hint.recipe, params, options, { whenBusy });
      this.startedHere.add(runId);
      panel.show(runId);
    } catch (error) {
      const problems = parameterProblemsOf(error);
      if (problems !== undefined) {
        this.refuse(problems);
      } else if (errorCodeOf(error) === ErrorCode.busy && container.runningRunId !== undefined) {
        this.offerBusy(
          container.runningRunId,
          () => this.start(recipe, params, settings),
          () => this.start(recipe, params, settings, 'queue'),
        );
      } else {
        throw error;
      }
    }
  }

  private offerBusy(runId: string, startAgain: () => Promise<void>, queue: () => Promise<void>): void {
    const { container, panel } = this.deps;
    offer(this.deps, 'showWarningMessage', 'The container trains another run already.', [
      { title: 'Show Run', run: () => panel.show(runId) },
      { title: 'Queue', run: queue },
      {
        title: 'Stop It and Train',
        run: async () => {
          if (container.runningRunId === runId) {
            await container.stop(runId);
          }
          await container.idle();
          await startAgain();
        },
      },
    ]);
  }

  /** @returns undefined if the values cannot be taken; the user was told */
  private check(recipe: RecipeSpec, values: ParameterValues): ParameterValues | undefined {
    try {
      return checkParameters(recipe, values);
    } catch (error) {
      if (error instanceof ParameterError) {
        this.refuse(error.problems);
        return undefined;
      }
      throw error;
    }
  }

  /** The form says what is wrong beside the field; without one a message does. */
  private refuse(problems: readonly ParameterProblem[]): void {
    const { panel } = this.deps;
    if (panel.isVisible && panel.model !== undefined) {
      panel.model.refuse(problems);
      return;
    }
    const text = problems.map(({ message }) => message).join('; ');
    offer(this.deps, 'showErrorMessage', `These parameters cannot be taken: ${text}`, [
      commandAction(this.deps, 'Show Panel', 'showPanel'),
    ]);
  }

  private options(): ContainerOptions {
    const { recipes } = this.deps;
    const { settings, folder } = this.workspace();
    const recipe = recipes.next;
    return this.optionsOf(settings, recipe, resolveParameters(recipe, recipes.of(recipe).values, folder));
  }

  private optionsOf(settings: HostSettings, recipe: RecipeSpec, params: ParameterValues): ContainerOptions {
    const { code } = this.deps;
    const { engine, port } = settings;
    const { program, recipe: name } = code.programFor(recipe);
    return {
      engine,
      port,
      settings: containerSettings(settings),
      hint: { recipe: name, params, program },
    };
  }

  private workspace(): { settings: HostSettings; folder: string } {
    const { environment } = this.deps;
    const { folder } = environment;
    if (folder === undefined) {
      throw new Error(environment.obstacle);
    }
    return { settings: environment.requireSettings(), folder };
  }

  private mayTrain(): boolean {
    const { mayTrain } = this.deps.environment;
    if (!mayTrain) {
      this.explainObstacle();
    }
    return mayTrain;
  }

  private explainObstacle(): void {
    const { environment, vs } = this.deps;
    const action =
      environment.folder === undefined
        ? { title: 'Open Folder', command: 'workbench.action.files.openFolder' }
        : { title: 'Manage Workspace Trust', command: 'workbench.trust.manage' };
    offer(this.deps, 'showWarningMessage', environment.obstacle, [
      { title: action.title, run: () => vs.commands.executeCommand(action.command) },
    ]);
  }
}

/** The parameters of a run; of the user's code those that it still takes. */
function stillKnown(recipe: RecipeSpec, { params, entrypoint }: RunRecord): ParameterValues {
  const names = new Set(recipe.parameters.map(({ name }) => name));
  return entrypoint === undefined
    ? params
    : Object.fromEntries(Object.entries(params).filter(([name]) => names.has(name)));
}
