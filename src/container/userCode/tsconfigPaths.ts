import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import * as v from 'valibot';

const tsconfigSchema = v.object({
  compilerOptions: v.object({
    baseUrl: v.optional(v.string(), '.'),
    paths: v.optional(v.record(v.string(), v.array(v.string())), {}),
  }),
});

/** Where `paths` of the folder's tsconfig.json say that a module may be, best first; what it extends is not read. */
export function pathsOf(folder: string, name: string): string[] {
  let text: string;
  try {
    text = readFileSync(join(folder, 'tsconfig.json'), 'utf8');
  } catch {
    return [];
  }
  const read = v.safeParse(tsconfigSchema, parse(text, [], { allowTrailingComma: true }));
  if (!read.success) {
    return [];
  }
  const { baseUrl, paths } = read.output.compilerOptions;
  return Object.entries(paths).flatMap(([pattern, targets]) => {
    const [start = '', end] = pattern.split('*');
    const fits =
      end === undefined
        ? name === pattern
        : name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end);
    const middle = name.slice(start.length, name.length - (end?.length ?? 0));
    return fits
      ? targets.map((target) =>
          join(
            folder,
            baseUrl,
            target.replace('*', () => middle),
          ),
        )
      : [];
  });
}
