import { createHash } from 'node:crypto';

/** A module as far as it matters for what uses it. */
export interface UsedModule {
  /** As it is run. */
  readonly code: string;
  readonly sha256: string;
  /** The user's own modules that it imports, by the names it calls them. */
  readonly required: ReadonlyMap<string, string>;
}

/** As sucrase writes an import. */
const IMPORT = /\bvar (\w+) = (?:_interop\w+\()?require\('([^']+)'\)/g;
const NAME = /[A-Za-z_$][\w$]*/g;

/**
 * What a function is made of: its own source, that of what it uses of its own module, and whole modules of the user's that
 * any of that uses. Names are looked for in the text, so that it is rather too much than too little.
 */
export function sourceOf(
  source: string,
  file: string,
  find: (file: string) => UsedModule | undefined,
): string {
  const module = find(file);
  if (module === undefined) {
    return source;
  }
  const definitions = definitionsOf(module.code);
  const imports = importsOf(module);
  const parts = new Map([['', source]]);
  const files = new Set<string>();
  for (const [, text] of parts) {
    for (const [name] of text.matchAll(NAME)) {
      const definition = definitions.get(name);
      if (definition !== undefined && !parts.has(name)) {
        parts.set(name, definition);
      }
      const imported = imports.get(name);
      if (imported !== undefined) {
        addWithImports(imported, files, find);
      }
    }
  }
  const hashes = [...files].sort().map((each) => `${each} ${find(each)?.sha256 ?? ''}`);
  return createHash('sha256')
    .update([...parts.values(), ...hashes].join('\n'))
    .digest('hex');
}

/** The statements that define a name at the outermost level, up to the next line that begins there. */
function definitionsOf(code: string): Map<string, string> {
  // Of `export function` sucrase leaves the space.
  const begin =
    /^ ?(?:async )?(?:function\*?|class|const|let|var) ([A-Za-z_$][\w$]*)[^\n]*(?:\n(?:(?:\t| {2}|[}\])])[^\n]*)?)*/gm;
  return new Map([...code.matchAll(begin)].map(([text, name = '']) => [name, text.trimEnd()]));
}

function importsOf({ code, required }: UsedModule): Map<string, string> {
  return new Map(
    [...code.matchAll(IMPORT)].flatMap(([, variable = '', name = '']) => {
      const file = required.get(name);
      return file === undefined ? [] : [[variable, file] as const];
    }),
  );
}

function addWithImports(
  file: string,
  files: Set<string>,
  find: (file: string) => UsedModule | undefined,
): void {
  if (!files.has(file)) {
    files.add(file);
    for (const each of find(file)?.required.values() ?? []) {
      addWithImports(each, files, find);
    }
  }
}
