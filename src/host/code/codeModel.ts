import { EventEmitter } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { RecipeSpec } from '../../protocol/parameters';
import type { Program } from '../../protocol/program';
import { isPython, recipeOf, splitEntrypoint } from '../../protocol/program';
import { findRecipe } from '../../protocol/recipes';
import type { DescribeRequest } from '../../python/describe';
import { describePython } from '../../python/describe';
import { describeTypeScriptLazily } from '../../typescript/load';
import type { HostSettings } from '../settings';

export interface CodeModelDeps {
  bundleDir: string;
  /** Path of the workspace folder and its settings; undefined where nothing may be run. */
  workspace: () => { folder: string; settings: HostSettings } | undefined;
  interpreter: (setting: string, folder: string) => string;
  /** `describeCode`, unless a test has one of its own. */
  describe?: (request: DescribeRequest) => Promise<RecipeSpec>;
}

interface Described {
  key: string;
  spec: RecipeSpec;
}

/** The user's own code that the settings name: what it takes, read from its source whenever that has changed. */
export class CodeModel extends EventEmitter<{ change: [] }> {
  /** By entrypoint. */
  private readonly known = new Map<string, Described>();
  private latestProblem: string | undefined;

  constructor(private readonly deps: CodeModelDeps) {
    super();
  }

  /** What it takes, as it was last read; its name is the entrypoint. Undefined where no code is named. */
  get spec(): RecipeSpec | undefined {
    const { entrypoint } = this;
    return entrypoint === undefined ? undefined : this.known.get(entrypoint)?.spec;
  }

  /** Why the code could not be read. */
  get problem(): string | undefined {
    return this.latestProblem;
  }

  get entrypoint(): string | undefined {
    const entrypoint = this.deps.workspace()?.settings.entrypoint;
    return entrypoint === '' ? undefined : entrypoint;
  }

  /** Reads the code that the settings name, if it has changed. @throws DescribeError or InterpreterError */
  async refresh(): Promise<RecipeSpec | undefined> {
    const { entrypoint } = this;
    const before = this.spec;
    try {
      const spec = entrypoint === undefined ? undefined : await this.describe(entrypoint);
      this.latestProblem = undefined;
      if (this.spec !== before) {
        this.emit('change');
      }
      return spec;
    } catch (error) {
      this.latestProblem = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  /** What any entrypoint of the workspace takes. @throws DescribeError or InterpreterError */
  async describe(entrypoint: string): Promise<RecipeSpec> {
    const { interpreter, folder } = this.place();
    const key = JSON.stringify([interpreter, folder, entrypoint, stampOf(folder, entrypoint)]);
    const known = this.known.get(entrypoint);
    if (known?.key === key) {
      return known.spec;
    }
    const { bundleDir, describe = describeCode } = this.deps;
    const described = await describe({ interpreter, folder, entrypoint, bundleDir });
    const spec = { ...described, name: entrypoint, title: entrypoint };
    this.known.set(entrypoint, { key, spec });
    return spec;
  }

  programOf(entrypoint: string): { program: Program; recipe: string } {
    const { interpreter, folder, settings } = this.place();
    const { metricPatterns } = settings;
    const patterns = metricPatterns.length === 0 ? {} : { metricPatterns };
    if (!isPython(entrypoint)) {
      return {
        program: { kind: 'typescript', folder, entrypoint, ...patterns },
        recipe: recipeOf(entrypoint),
      };
    }
    return {
      program: { kind: 'python', interpreter, folder, entrypoint, ...patterns },
      recipe: recipeOf(entrypoint),
    };
  }

  /** What trains a recipe, and the name that its runs have: code of the user's own is known by its entrypoint. */
  programFor({ name }: Pick<RecipeSpec, 'name'>): { program: Program; recipe: string } {
    return findRecipe(name) === undefined
      ? this.programOf(name)
      : { program: this.recipesProgram(), recipe: name };
  }

  /** The program that trains our own recipes. */
  private recipesProgram(): Program {
    const { interpreter, settings } = this.place();
    return settings.engine === 'torch' ? { kind: 'torch', interpreter } : { kind: 'recipes', interpreter };
  }

  private place(): { interpreter: string; folder: string; settings: HostSettings } {
    const workspace = this.deps.workspace();
    if (workspace === undefined) {
      throw new Error('Open a folder that is trusted first: code is run from it.');
    }
    const { folder, settings } = workspace;
    return { ...workspace, interpreter: this.deps.interpreter(settings.pythonInterpreter, folder) };
  }
}

async function describeCode(request: DescribeRequest): Promise<RecipeSpec> {
  const { folder, entrypoint, bundleDir } = request;
  return isPython(entrypoint)
    ? describePython(request)
    : describeTypeScriptLazily(folder, entrypoint, bundleDir);
}

/** Changes whenever the file does. */
function stampOf(folder: string, entrypoint: string): string {
  const facts = statSync(join(folder, splitEntrypoint(entrypoint).path), {
    throwIfNoEntry: false,
    bigint: true,
  });
  return facts === undefined ? '' : `${facts.mtimeNs} ${facts.size} ${facts.ino}`;
}
