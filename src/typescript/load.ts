import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as v from 'valibot';
import type { RecipeSpec } from '../protocol/parameters';
import { recipeSpecSchema } from '../protocol/parameters';
import { parse } from '../protocol/schema';
import { DescribeError } from '../python/describe';

const bundleSchema = v.object({ describeTypeScript: v.function() });
const descriptionSchema = v.variant('ok', [
  v.object({ ok: v.literal(true), recipe: recipeSpecSchema }),
  v.object({
    ok: v.literal(false),
    message: v.string(),
    file: v.string(),
    line: v.optional(v.number()),
  }),
]);

/**
 * What a TypeScript or JavaScript entrypoint takes. The parser is loaded when it is needed first.
 * @throws DescribeError
 */
export function describeTypeScriptLazily(folder: string, entrypoint: string, bundleDir: string): RecipeSpec {
  const path = join(bundleDir, 'describe-typescript.js');
  const bundle: unknown = createRequire(path)(path);
  const { describeTypeScript } = parse(bundleSchema, bundle, 'describe-typescript.js');
  const answer = parse(descriptionSchema, describeTypeScript(folder, entrypoint), 'description');
  if (!answer.ok) {
    throw new DescribeError(answer.message, answer.file, answer.line);
  }
  return answer.recipe;
}
