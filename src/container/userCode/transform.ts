import { transform } from 'sucrase';

/** What `import.meta` and `import()` become, which CommonJS has not. */
export const IMPORT_META = '__tinycatsImportMeta';
export const IMPORT_LATER = '__tinycatsImport';
/** As sucrase writes `import(`. */
const LATE_REQUIRE = 'Promise.resolve().then(() => _interopRequireWildcard(require(';

/** A file of the user's own that cannot be read as code. */
export class UserSyntaxError extends Error {
  override readonly name = 'SyntaxError';
  constructor(
    message: string,
    readonly file: string,
    /** From 1. */
    readonly line: number,
  ) {
    super(message);
  }
}

/**
 * A module's source as a CommonJS function's body, every line where it was: errors name the user's own lines.
 * @throws UserSyntaxError
 */
export function toCommonJs(source: string, file: string): string {
  const isPlain = /\.(js|cjs|mjs|jsx)$/.test(file);
  const isJsx = /\.[jt]sx$/.test(file);
  try {
    const { code } = transform(source, {
      transforms: [
        'imports',
        ...(isPlain ? [] : ['typescript' as const]),
        ...(isJsx ? ['jsx' as const] : []),
      ],
      filePath: file,
      disableESTransforms: true,
    });
    return code
      .replaceAll(LATE_REQUIRE, `Promise.resolve().then(() => (${IMPORT_LATER}(`)
      .replace(/\bimport\.meta\b/g, IMPORT_META);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, text = message, line = '1'] =
      /^(?:Error transforming .*?: )?(.*) \((\d+):\d+\)$/s.exec(message) ?? [];
    throw new UserSyntaxError(text, file, Number(line));
  }
}
