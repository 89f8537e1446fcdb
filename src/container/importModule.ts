declare const importNatively: ((specifier: string) => Promise<unknown>) | undefined;

/**
 * `import()` of a module that is not bundled. In a bundle that comes from V8's code cache an `import()` of its own has no
 * loader behind it and fails; there `codeCache.ts` lends it one.
 */
export function importModule(specifier: string): Promise<unknown> {
  return typeof importNatively === 'undefined' ? import(specifier) : importNatively(specifier);
}
