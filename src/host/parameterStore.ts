import { isAbsolute, relative, sep } from 'node:path';
import * as v from 'valibot';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import { defaultParameters, parameterValuesSchema } from '../protocol/parameters';
import { SAMPLE_DATA_SET } from '../protocol/recipes';
import { REMOTE_PREFIX } from '../protocol/transfer';
import { resolveFolder } from './settings';

/** Part of VS Code's workspace state. */
export interface Memento {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** The parameter that every recipe has. */
export const DATA_DIR = 'data_dir';

/**
 * The values that the next training takes: the recipe's defaults, over them the setting, over them what was changed
 * in this workspace. Only changes are kept, so that a changed setting takes effect where nothing was changed.
 */
export class ParameterStore {
  constructor(
    private readonly recipe: RecipeSpec,
    private readonly memento: Memento,
    /** Where in the memento. */
    private readonly key: string,
    /** Values that a setting puts over the recipe's defaults. */
    private readonly settingDefaults: () => ParameterValues,
  ) {}

  get values(): ParameterValues {
    return { ...this.defaults, ...this.changes };
  }

  /** Whether somebody has said what to train on: the setting, the form or a question. */
  get hasDataFolder(): boolean {
    return Object.hasOwn(this.changes, DATA_DIR) || Object.hasOwn(this.settingDefaults(), DATA_DIR);
  }

  /** Keeps the values of a training for the next one. */
  async keep(values: ParameterValues): Promise<void> {
    const { defaults, changes } = this;
    const changed = Object.entries(values).filter(
      ([name, value]) => value !== defaults[name] || (name === DATA_DIR && Object.hasOwn(changes, DATA_DIR)),
    );
    await this.memento.update(this.key, Object.fromEntries(changed));
  }

  async setDataFolder(folder: string): Promise<void> {
    await this.memento.update(this.key, { ...this.changes, [DATA_DIR]: folder });
  }

  private get defaults(): ParameterValues {
    return { ...defaultParameters(this.recipe), ...this.settingDefaults() };
  }

  /** What other versions kept is passed over if the recipe no longer has it. */
  private get changes(): ParameterValues {
    const kept = v.safeParse(parameterValuesSchema, this.memento.get(this.key));
    if (!kept.success) {
      return {};
    }
    const known = new Set(this.recipe.parameters.map((spec) => spec.name));
    return Object.fromEntries(Object.entries(kept.output).filter(([name]) => known.has(name)));
  }
}

/** Whether it is a path of this machine, and no word that stands for one. */
function isFolderHere(value: string): boolean {
  return value.trim() !== '' && value !== SAMPLE_DATA_SET && !value.startsWith(REMOTE_PREFIX);
}

/** Values as the container takes them: folders absolute, since it has no workspace. */
export function resolveParameters(
  recipe: RecipeSpec,
  values: ParameterValues,
  workspaceFolder: string,
): ParameterValues {
  const resolved = { ...values };
  for (const { name, type } of recipe.parameters) {
    const value = resolved[name];
    if (type === 'folder' && typeof value === 'string' && isFolderHere(value)) {
      resolved[name] = resolveFolder(workspaceFolder, value);
    }
  }
  return resolved;
}

/** A folder inside the workspace is kept relative to it, so that the workspace can be moved. */
export function shortenFolder(workspaceFolder: string, folder: string): string {
  const path = relative(workspaceFolder, folder);
  const outside = path === '' || path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
  return outside || path === SAMPLE_DATA_SET ? folder : path;
}
