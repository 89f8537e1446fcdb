import type { RecipeForm } from '../protocol/panel';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import type { Memento } from './parameterStore';
import { DATA_DIR, ParameterStore } from './parameterStore';

const KEY = 'tinyCats.recipe';
/** The user's code that could be chosen when the recipe was kept. */
const CODE_KEY = 'tinyCats.recipe.code';
const PARAMETERS_KEY = 'tinyCats.parameters';

/** The recipes that can be trained, each with the values of its own next training, and which of them is next. */
export class RecipeStores {
  private readonly stores: ReadonlyMap<string, ParameterStore>;

  /** @param recipes the first is the one that the settings are about, and next until another is trained */
  constructor(
    private readonly recipes: readonly [RecipeSpec, ...RecipeSpec[]],
    private readonly memento: Memento,
    /** The setting `tinyCats.defaultParameters`. */
    private readonly settingDefaults: () => ParameterValues,
    /** The user's own code, which is offered before them. */
    private readonly code: { readonly spec: RecipeSpec | undefined } = { spec: undefined },
  ) {
    const [first] = recipes;
    // The others share with it only what is not about how to train.
    const dataDefault = (): ParameterValues => {
      const folder = settingDefaults()[DATA_DIR];
      return folder === undefined ? {} : { [DATA_DIR]: folder };
    };
    this.stores = new Map(
      recipes.map((recipe) => [
        recipe.name,
        recipe === first
          ? new ParameterStore(recipe, memento, PARAMETERS_KEY, () => known(recipe, settingDefaults()))
          : new ParameterStore(recipe, memento, `${PARAMETERS_KEY}.${recipe.name}`, dataDefault),
      ]),
    );
  }

  /** What is trained next. */
  get next(): RecipeSpec {
    const { spec } = this.code;
    if (spec !== undefined && this.memento.get(CODE_KEY) !== spec.name) {
      // The settings name code that was not there to choose last time.
      return spec;
    }
    const name = this.memento.get(KEY);
    return this.all.find((recipe) => recipe.name === name) ?? this.all[0] ?? this.recipes[0];
  }

  /** Recipes and values for the parameter form. */
  get forms(): RecipeForm[] {
    return this.all.map((spec) => ({ spec, params: this.of(spec).values }));
  }

  /** @throws Error if there is no recipe of that name */
  find(name: string): RecipeSpec {
    const recipe = this.all.find((each) => each.name === name);
    if (recipe === undefined) {
      throw new Error(`This version of Tiny Cats has no recipe "${name}".`);
    }
    return recipe;
  }

  of(recipe: RecipeSpec): ParameterStore {
    const { name } = recipe;
    if (recipe === this.code.spec) {
      return new ParameterStore(recipe, this.memento, `${PARAMETERS_KEY}.${name}`, () =>
        known(recipe, this.settingDefaults()),
      );
    }
    const store = this.stores.get(name);
    if (store === undefined) {
      throw new Error(`This version of Tiny Cats has no recipe "${name}".`);
    }
    return store;
  }

  /** Everything that can be trained. */
  get all(): RecipeSpec[] {
    return [...(this.code.spec === undefined ? [] : [this.code.spec]), ...this.recipes];
  }

  /** Keeps what was trained, and with which values, for the next time. */
  async keep(recipe: RecipeSpec, values: ParameterValues): Promise<void> {
    await this.of(recipe).keep(values);
    await this.memento.update(KEY, recipe.name);
    await this.memento.update(CODE_KEY, this.code.spec?.name);
  }

  /** Whatever is trained next, it is trained on that. */
  async setDataFolder(folder: string): Promise<void> {
    for (const store of this.stores.values()) {
      await store.setDataFolder(folder);
    }
  }
}

/** Those of the values that the recipe has. */
function known(recipe: RecipeSpec, values: ParameterValues): ParameterValues {
  const names = new Set(recipe.parameters.map(({ name }) => name));
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
}
