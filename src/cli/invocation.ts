import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ParameterSpec, ParameterValues, RecipeSpec } from '../protocol/parameters';
import { CLASSIFIER, SAMPLE_DATA_SET, findRecipe } from '../protocol/recipes';
import { REMOTE_PREFIX } from '../protocol/transfer';
import { isRunId } from '../volume/outputsVolume';
import type { CliContext, Command, Invocation } from './command';
import { UsageError } from './errors';
import type { Option } from './options';
import { listOption, parseOptions, recipeOptions } from './options';
import type { Code } from './program';
import { ENTRYPOINT, PYTHON, recipesProgram } from './program';
import { COMMON_OPTIONS, settingsOf } from './settings';

const RECIPE: Option = {
  spec: { name: 'recipe', type: 'text', default: CLASSIFIER.name, description: 'What to train' },
  placeholder: 'NAME',
};

/** The command's options by group, as the help shows them. */
export function optionGroups(command: Command, recipe: RecipeSpec): { title: string; options: Option[] }[] {
  const groups = [
    { title: 'Options', options: [...command.options] },
    {
      title: `Parameters of "${recipe.name}"`,
      options:
        command.takesParameters === true
          ? [...(findRecipe(recipe.name) === recipe ? [RECIPE] : []), ...parameterOptions(command, recipe)]
          : [],
    },
    { title: 'Your own code', options: command.takesCode === true ? [ENTRYPOINT, PYTHON] : [] },
    { title: 'Common options', options: [...COMMON_OPTIONS] },
  ];
  return groups.filter((group) => group.options.length > 0);
}

function parameterOptions({ takesLists }: Command, recipe: RecipeSpec): Option[] {
  // Of two options of one name the program's own counts.
  const taken = new Set(COMMON_OPTIONS.map(({ spec }) => spec.name));
  const options = recipeOptions(recipe).filter(({ spec }) => !taken.has(spec.name));
  return takesLists === true ? options.map(listOption) : options;
}

/**
 * Reads what follows the command's name. @param code the user's own, if the arguments name it
 * @throws UsageError or ParameterError, naming the option
 */
export function readInvocation(
  command: Command,
  args: readonly string[],
  { env, cwd }: Pick<CliContext, 'env' | 'cwd'>,
  code?: Code,
): Invocation {
  const recipe = code?.recipe ?? (command.takesParameters === true ? recipeOf(args) : CLASSIFIER);
  const options = optionGroups(command, recipe).flatMap((group) => group.options);
  const { given, positionals } = parseOptions(options, args);
  const settings = settingsOf(given, env, cwd);
  const [positional, unexpected] = positionals.filter((text) => text !== code?.program.entrypoint);
  if (!settings.help) {
    checkPositionals(command, positional, unexpected);
  }
  const python = typeof given.python === 'string' ? given.python : '';
  const program = code?.program ?? recipesProgram(settings.engine, python, cwd);
  return { settings, recipe, program, given: absolutePaths(recipe, given, cwd), positional, positionals };
}

/** Those of the given values that are parameters of the recipe. */
export function givenParameters(recipe: RecipeSpec, given: ParameterValues): ParameterValues {
  const names = new Set(recipe.parameters.map((spec) => spec.name));
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));
}

/** The options depend on the recipe, so that it is looked for before they are read. */
function recipeOf(args: readonly string[]): RecipeSpec {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: { recipe: { type: 'string', default: CLASSIFIER.name } },
  });
  const recipe = typeof values.recipe === 'string' ? findRecipe(values.recipe) : undefined;
  if (recipe === undefined) {
    throw new UsageError(`--recipe: there is no recipe ${JSON.stringify(values.recipe)}.`);
  }
  return recipe;
}

function checkPositionals(
  command: Command,
  positional: string | undefined,
  unexpected: string | undefined,
): void {
  // Code has been taken from among them.
  const takesNone = command.positional === undefined || command.takesCode === true;
  const takesMany = command.positional?.many === true;
  const surplus = takesNone ? positional : takesMany ? undefined : unexpected;
  if (surplus !== undefined) {
    throw new UsageError(
      `"${command.name}" does not know what to do with ${JSON.stringify(surplus)}. Quote names with spaces.`,
    );
  }
  if (command.positional?.required === true && positional === undefined) {
    throw new UsageError(`"${command.name}" needs a ${command.positional.name}.`);
  }
}

/** Whether a value is a path, and no word or id that stands for one. */
function isRelativePath(type: ParameterSpec['type'], value: string): boolean {
  if (value.startsWith(REMOTE_PREFIX)) {
    return false;
  }
  switch (type) {
    case 'folder':
      return value !== SAMPLE_DATA_SET;
    case 'path':
      return value !== '' && !isRunId(value);
    case 'weights':
      return true;
    case 'integer':
    case 'number':
    case 'boolean':
    case 'choice':
    case 'text':
      return false;
  }
}

function absolutePaths(recipe: RecipeSpec, given: ParameterValues, cwd: string): ParameterValues {
  const absolute = { ...given };
  for (const { name, type } of recipe.parameters) {
    const value = given[name];
    if (typeof value === 'string' && isRelativePath(type, value)) {
      absolute[name] = resolve(cwd, value);
    }
  }
  return absolute;
}
