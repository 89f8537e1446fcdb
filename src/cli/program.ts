import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EngineChoice } from '../protocol/container';
import type { RecipeSpec } from '../protocol/parameters';
import type { Program, UserProgram } from '../protocol/program';
import { isPython, recipeOf, splitEntrypoint } from '../protocol/program';
import { describePython } from '../python/describe';
import { chooseInterpreter } from '../python/interpreter';
import { describeTypeScriptLazily } from '../typescript/load';
import type { CliContext } from './command';
import { UsageError } from './errors';
import type { Option } from './options';

export const ENTRYPOINT: Option = {
  spec: {
    name: 'entrypoint',
    type: 'text',
    default: '',
    description: 'Your own code to train: src/train.py:train or src/train.ts, relative to the present folder',
  },
  placeholder: 'FILE:NAME',
};

export const PYTHON: Option = {
  spec: {
    name: 'python',
    type: 'text',
    default: '',
    description: 'Python interpreter, 3.9 or newer; else that of .venv in the present folder, else python3',
  },
  placeholder: 'PATH',
};

/** The user's own code and what it takes. */
export interface Code {
  program: UserProgram;
  recipe: RecipeSpec;
}

const CODE = /\.(py|[mc]?[jt]s)(:[^/\\:]+)?$/;

/** Whether an argument names code rather than a run or a file of another kind. */
export function isEntrypoint(text: string): boolean {
  return !text.startsWith('-') && CODE.test(text);
}

/** The entrypoint among the arguments: after its option, or by itself. Options depend on it, so that it is looked for first. */
export function entrypointIn(args: readonly string[]): string | undefined {
  const end = args.indexOf('--');
  const own = end === -1 ? args : args.slice(0, end);
  return valueOf(own, '--entrypoint') ?? own.find(isEntrypoint);
}

export function pythonIn(args: readonly string[]): string {
  return valueOf(args, '--python') ?? '';
}

function valueOf(args: readonly string[], option: string): string | undefined {
  const at = args.lastIndexOf(option);
  const inline = args.findLast((arg) => arg.startsWith(`${option}=`));
  return at === -1 ? inline?.slice(option.length + 1) : args[at + 1];
}

/**
 * The user's code in the present folder, and what it takes.
 * @param python as the user names it; empty: whichever is there
 * @throws UsageError, DescribeError or InterpreterError in words for the user
 */
export async function codeOf(
  entrypoint: string,
  python: string,
  { cwd, bundleDir }: Pick<CliContext, 'cwd' | 'bundleDir'>,
): Promise<Code> {
  const { path } = splitEntrypoint(entrypoint);
  if (!existsSync(resolve(cwd, path))) {
    throw new UsageError(
      `There is no file ${join(cwd, path)}: the entrypoint is relative to the present folder.`,
    );
  }
  const folder = cwd;
  if (!isPython(entrypoint)) {
    const recipe = describeTypeScriptLazily(folder, entrypoint, bundleDir);
    return { program: { kind: 'typescript', folder, entrypoint }, recipe };
  }
  const interpreter = namedInterpreter(python, cwd);
  const recipe = await describePython({ interpreter, folder, entrypoint, bundleDir });
  return {
    program: { kind: 'python', interpreter, folder, entrypoint },
    recipe: { ...recipe, name: recipeOf(entrypoint) },
  };
}

/** The program that trains our own recipes. */
export function recipesProgram(engine: EngineChoice, python: string, cwd: string): Program {
  const interpreter = namedInterpreter(python, cwd);
  return engine === 'torch' ? { kind: 'torch', interpreter } : { kind: 'recipes', interpreter };
}

/** A path is relative to the present folder, a bare name is looked for on the PATH. */
function namedInterpreter(python: string, cwd: string): string {
  const chosen = chooseInterpreter(python, cwd);
  return /[/\\]/.test(chosen) ? resolve(cwd, chosen) : chosen;
}
