import { execFile } from 'node:child_process';
import { join } from 'node:path';
import * as v from 'valibot';
import type { RecipeSpec } from '../protocol/parameters';
import { recipeSpecSchema } from '../protocol/parameters';
import { parse } from '../protocol/schema';
import { checkInterpreter } from './interpreter';

const TIMEOUT_MS = 20_000;

/** What `tinycats_describe.py` prints: what an entrypoint takes, read without running it. */
const answerSchema = v.variant('ok', [
  v.object({ ok: v.literal(true), recipe: recipeSpecSchema }),
  v.object({
    ok: v.literal(false),
    message: v.string(),
    file: v.nullish(v.string()),
    line: v.nullish(v.number()),
  }),
]);

/** The user's code cannot be trained as it is; `message` says why, in words for the user. */
export class DescribeError extends Error {
  override readonly name = 'DescribeError';
  constructor(
    message: string,
    /** Absolute path; where in the code, if it is known. */
    readonly file?: string,
    readonly line?: number,
  ) {
    super(message);
  }
}

export interface DescribeRequest {
  interpreter: string;
  /** Absolute path of the folder that the entrypoint's path is relative to. */
  folder: string;
  entrypoint: string;
  /** Folder with the folder python. */
  bundleDir: string;
}

/**
 * What the entrypoint takes, as the parameters of a recipe.
 * @throws DescribeError, or InterpreterError where the interpreter is the reason
 */
export async function describePython(request: DescribeRequest): Promise<RecipeSpec> {
  const { interpreter, folder, entrypoint, bundleDir } = request;
  const script = join(bundleDir, 'python', 'tinycats_describe.py');
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      interpreter,
      [script, folder, entrypoint],
      { cwd: folder, timeout: TIMEOUT_MS, windowsHide: true },
      (error, stdout, stderr) => {
        if (stdout.trim() !== '') {
          resolve(stdout);
        } else {
          reject(error ?? new Error(stderr));
        }
      },
    );
  }).catch(async (error: unknown) => {
    // What is wrong with the interpreter says more.
    await checkInterpreter(interpreter);
    throw error;
  });
  const answer = parse(answerSchema, JSON.parse(output), 'description of the entrypoint');
  if (!answer.ok) {
    throw new DescribeError(answer.message, answer.file ?? undefined, answer.line ?? undefined);
  }
  return answer.recipe;
}
