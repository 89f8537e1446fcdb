import * as v from 'valibot';

const userCode = {
  /** Absolute path of the workspace folder, the code's working folder. */
  folder: v.string(),
  /** File and name, the path relative to `folder`: `src/train.py:train`, `src/train.py:Trainer.train`, `src/train.ts`. */
  entrypoint: v.string(),
  /** Regular expressions with named groups that read metrics from the code's log lines, before the built-in ones. */
  metricPatterns: v.optional(v.array(v.string())),
};

/** A Python 3.9 or newer: path or name of its executable; empty: the container finds one. */
const interpreter = v.string();

/**
 * What a trainer is started for. A container has one trainer, and with it one program, at a time; a run of another
 * program makes it start a new one.
 */
export const programSchema = v.variant('kind', [
  /** The recipes on an embedded engine, or in PyTorch where the engine is `auto` and `interpreter` has a CUDA device. */
  v.object({ kind: v.literal('recipes'), interpreter: v.optional(interpreter) }),
  /** The recipes in PyTorch. */
  v.object({ kind: v.literal('torch'), interpreter }),
  /** The user's own code. */
  v.object({ kind: v.literal('python'), interpreter, ...userCode }),
  v.object({ kind: v.literal('typescript'), ...userCode }),
]);
export type Program = v.InferOutput<typeof programSchema>;
export type ProgramKind = Program['kind'];
/** A program of the user's own. */
export type UserProgram = Extract<Program, { entrypoint: string }>;

export const RECIPES_PROGRAM: Program = { kind: 'recipes' };

export function isUserProgram(program: Program): program is UserProgram {
  return program.kind === 'python' || program.kind === 'typescript';
}

/** Whether a trainer that was started for the one can train the other: all that one file of the user's has to train. */
export function isSameProgram(one: Program, other: Program): boolean {
  return keyOf(one) === keyOf(other);
}

function keyOf(program: Program): string {
  switch (program.kind) {
    case 'recipes':
      return program.kind;
    case 'torch':
      return JSON.stringify([program.kind, program.interpreter]);
    case 'python':
    case 'typescript': {
      const by = program.kind === 'python' ? program.interpreter : '';
      const { kind, folder, entrypoint } = program;
      return JSON.stringify([kind, by, folder, splitEntrypoint(entrypoint).path]);
    }
  }
}

/**
 * The short name of an entrypoint, under which its runs are stored: `train` for `src/train.py:train` and
 * `src/train.ts`, `finetune` for `jobs.py:Trainer.finetune`.
 */
export function recipeOf(entrypoint: string): string {
  const { path, name } = splitEntrypoint(entrypoint);
  const file = path.split('/').at(-1) ?? '';
  const last = name?.split('.').at(-1) ?? file.replace(/\.[^.]*$/, '');
  const safe = last.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 64);
  return safe === '' ? 'train' : safe;
}

/** Whether it names Python code, rather than TypeScript or JavaScript. */
export function isPython(entrypoint: string): boolean {
  return splitEntrypoint(entrypoint).path.endsWith('.py');
}

/** The path, with slashes, and the name after the colon. */
export function splitEntrypoint(entrypoint: string): { path: string; name: string | undefined } {
  // A drive's colon is none of it: the path is relative.
  const at = entrypoint.lastIndexOf(':');
  const path = (at === -1 ? entrypoint : entrypoint.slice(0, at)).replaceAll('\\', '/');
  return { path, name: at === -1 ? undefined : entrypoint.slice(at + 1) };
}
