/** What is wrong with the data, for code that reacts to it; the message is for the user. */
export type DataErrorCode =
  | 'missing-folder'
  | 'not-a-folder'
  | 'not-readable'
  | 'empty-folder'
  | 'no-class-folders'
  | 'too-few-classes'
  | 'class-without-images'
  | 'corrupt-image'
  | 'unsupported-image'
  | 'image-too-large'
  | 'dataset-too-large';

/** A fault of the user's data. Its message names the folder or file, what was expected and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';

  constructor(
    readonly code: DataErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A file or class name in double quotes, on one line whatever characters it holds. */
export function quote(name: string): string {
  return `"${name.replaceAll(/\p{Cc}/gu, '�')}"`;
}

/** The `code` of a Node system error such as `ENOENT`, or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
