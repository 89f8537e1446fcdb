import * as v from 'valibot';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

/** Deepest nesting of a value that crosses an edge. */
const MAX_JSON_DEPTH = 16;

/** Any value that JSON can say, nested at most 16 deep. */
export const jsonSchema = v.custom<JsonValue>(
  (value) => isJson(value, 0),
  `expected a JSON value nested at most ${MAX_JSON_DEPTH} deep`,
);

function isJson(value: unknown, depth: number): boolean {
  if (typeof value === 'object' && value !== null) {
    return depth < MAX_JSON_DEPTH && Object.values(value).every((part) => isJson(part, depth + 1));
  }
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}
