import * as v from 'valibot';
import type * as vscode from 'vscode';
import type { ParameterValues } from '../../protocol/parameters';
import { ranking } from '../../protocol/sweep';
import { beginSweep } from '../../sweep/beginSweep';
import { openTarget } from '../../targets/openTarget';
import type { CodeModel } from '../code/codeModel';
import type { Environment } from '../environment';
import type { PanelManager } from '../panel/panelManager';
import { resolveParameters } from '../parameterStore';
import type { RecipeStores } from '../recipeStores';
import { containerSettings } from '../settings';
import { askSweep } from './askSweep';
import type { SweepModel } from './sweepModel';

export interface SweepActionsDeps {
  vs: { window: Pick<typeof vscode.window, 'setStatusBarMessage' | 'showInputBox' | 'showQuickPick'> };
  environment: Environment;
  recipes: RecipeStores;
  code: CodeModel;
  panel: PanelManager;
  sweeps: SweepModel;
}

const STATUS_MESSAGE_MS = 5000;
const nodeSchema = v.object({ sweepId: v.string() });

/** Begins, stops and shows sweeps, as commands and the panel ask for it. */
export class SweepActions {
  constructor(private readonly deps: SweepActionsDeps) {}

  /** @param form values of the panel's form; without them those of the next training */
  async begin(form: { recipe: string; params: ParameterValues } | undefined): Promise<void> {
    const { vs, environment, recipes, code, sweeps } = this.deps;
    const { folder } = environment;
    if (!environment.mayTrain || folder === undefined) {
      throw new Error(environment.obstacle);
    }
    const settings = environment.requireSettings();
    const recipe = form === undefined ? recipes.next : recipes.find(form.recipe);
    const values = form?.params ?? recipes.of(recipe).values;
    const asked = await askSweep(vs.window, recipe, values);
    if (asked === undefined) {
      return;
    }
    const { target, engine } = settings;
    const place = sweeps.requirePlace();
    // Makes the volumes' folders, or says why it cannot.
    openTarget(target, place);
    const { program, recipe: runsAs } = code.programFor(recipe);
    await beginSweep(
      {
        recipe,
        program,
        runsAs,
        params: resolveParameters(recipe, values, folder),
        target,
        engine,
        settings: containerSettings(settings),
        ...asked,
      },
      place,
    );
    await sweeps.refresh();
    vs.window.setStatusBarMessage('Tiny Cats: the sweep has begun', STATUS_MESSAGE_MS);
    this.deps.panel.show(null);
  }

  async stop(argument: unknown): Promise<void> {
    const node = v.safeParse(nodeSchema, argument);
    if (!this.deps.environment.mayTrain) {
      throw new Error(this.deps.environment.obstacle);
    }
    if (node.success) {
      await this.deps.sweeps.stop(node.output.sweepId);
    }
  }

  /** The panel compares a sweep's trainings where it shows one of them: the best. */
  open(argument: unknown): void {
    const node = v.safeParse(nodeSchema, argument);
    const sweep = node.success ? this.deps.sweeps.find(node.output.sweepId) : undefined;
    const runId = ranking(sweep?.trials ?? [])
      .map((index) => sweep?.trials[index]?.runId)
      .find((id) => id !== undefined);
    if (runId !== undefined) {
      this.deps.panel.show(runId);
    }
  }
}
