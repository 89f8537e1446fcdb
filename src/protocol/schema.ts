import * as v from 'valibot';

/** A message that does not have the shape its schema demands. `message` names the place and what was expected. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/**
 * Checks `value`, which came over an edge (socket, file, webview, child process), against `schema`.
 * @param what what the value is, for the error's text: "train request", "run.json"
 * @throws SchemaError naming the first place that does not fit
 */
export function parse<T extends v.GenericSchema>(schema: T, value: unknown, what: string): v.InferOutput<T> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) {
    return result.output;
  }
  const [issue] = result.issues;
  const place = v.getDotPath(issue);
  throw new SchemaError(`${what}${place === null ? '' : `, at "${place}"`}: ${issue.message}`);
}

/** A whole number of at least 0. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A duration or a point in time in milliseconds; fractions are allowed. */
export const milliseconds = v.pipe(v.number(), v.finite());
