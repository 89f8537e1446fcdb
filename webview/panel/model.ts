import type { RecipeSpec } from '../../src/protocol/parameters';
import type { HostToPanel, PanelToHost } from '../../src/protocol/panel';

/** All that the page shows; the host's snapshot, kept up to date by what comes after it. */
export type PanelModel = Omit<Extract<HostToPanel, { type: 'snapshot' }>, 'type'>;

/** The recipe of the shown run, or the one that is trained next. */
export function recipeOf({ recipes, recipe, run }: PanelModel): RecipeSpec | undefined {
  const named = (name: string | undefined) => recipes.find(({ spec }) => spec.name === name)?.spec;
  if (run === null || run.recipe === '') {
    return named(recipe);
  }
  const { entrypoint } = run;
  // Of code that the settings no longer name nothing but its name is known.
  return entrypoint === null
    ? named(run.recipe)
    : (named(entrypoint) ?? { name: entrypoint, title: entrypoint, description: '', parameters: [] });
}

export type Send = (message: PanelToHost) => void;
