import * as v from 'valibot';
import { SchemaError } from './schema';

const common = {
  /** Name as in the design's `train_classifier`, snake case: `batch_size`. */
  name: v.string(),
  description: v.string(),
  /** A value has to be given: the default is none. */
  required: v.optional(v.literal(true)),
};

/**
 * One parameter of a recipe. The parameter form, the command line's options and the validation are all made
 * from these, so that a recipe says each thing once.
 */
export const parameterSpecSchema = v.variant('type', [
  v.object({
    ...common,
    type: v.literal('integer'),
    default: v.number(),
    minimum: v.optional(v.number()),
    maximum: v.optional(v.number()),
  }),
  v.object({
    ...common,
    type: v.literal('number'),
    default: v.number(),
    minimum: v.optional(v.number()),
    maximum: v.optional(v.number()),
    /** The value has to be greater than `minimum`, not equal to it. */
    exclusiveMinimum: v.optional(v.boolean()),
    /** The value has to be less than `maximum`, not equal to it. */
    exclusiveMaximum: v.optional(v.boolean()),
  }),
  v.object({ ...common, type: v.literal('boolean'), default: v.boolean() }),
  v.object({ ...common, type: v.literal('choice'), default: v.string(), choices: v.array(v.string()) }),
  /** A folder on the container's side; `sample` names the drawn sample data set. */
  v.object({ ...common, type: v.literal('folder'), default: v.string() }),
  /** Text; empty means "not given". */
  v.object({
    ...common,
    type: v.literal('text'),
    default: v.string(),
    /** It holds a value as JSON, such as a list. */
    json: v.optional(v.literal(true)),
  }),
  /** A file or folder on the container's side, or the id of a run; empty means "not given". */
  v.object({ ...common, type: v.literal('path'), default: v.string() }),
  /** Weights to start from: `true` those that are known for the network, `false` none, else the path of a file. */
  v.object({ ...common, type: v.literal('weights'), default: v.boolean() }),
]);
export type ParameterSpec = v.InferOutput<typeof parameterSpecSchema>;

export const parameterValueSchema = v.union([v.string(), v.pipe(v.number(), v.finite()), v.boolean()]);
export type ParameterValue = v.InferOutput<typeof parameterValueSchema>;

export const parameterValuesSchema = v.record(v.string(), parameterValueSchema);
export type ParameterValues = v.InferOutput<typeof parameterValuesSchema>;

export const recipeSpecSchema = v.object({
  name: v.string(),
  title: v.string(),
  description: v.string(),
  parameters: v.array(parameterSpecSchema),
});
export type RecipeSpec = v.InferOutput<typeof recipeSpecSchema>;

/** What is wrong with one parameter, in words for the user. */
export interface ParameterProblem {
  name: string;
  message: string;
}

/** A recipe was asked to run with parameters it cannot take. */
export class ParameterError extends SchemaError {
  constructor(readonly problems: readonly ParameterProblem[]) {
    super(problems.map((problem) => problem.message).join('\n'));
  }
}

/** The defaults of a recipe; one that has to be given has none. */
export function defaultParameters(recipe: RecipeSpec): ParameterValues {
  return Object.fromEntries(
    recipe.parameters.filter((spec) => spec.required !== true).map((spec) => [spec.name, spec.default]),
  );
}

/**
 * Fills in defaults and checks every value.
 * @throws ParameterError listing every problem, each naming the parameter, the value and what was expected
 */
export function checkParameters(recipe: RecipeSpec, given: ParameterValues): ParameterValues {
  const problems: ParameterProblem[] = [];
  const known = new Set(recipe.parameters.map((spec) => spec.name));
  for (const name of Object.keys(given)) {
    if (!known.has(name)) {
      problems.push({
        name,
        message: `${name}: unknown parameter; "${recipe.name}" takes ${[...known].join(', ')}`,
      });
    }
  }
  const values: ParameterValues = {};
  for (const spec of recipe.parameters) {
    if (spec.required === true && (given[spec.name] ?? '') === '') {
      problems.push({ name: spec.name, message: `${spec.name}: a value is needed, it has no default` });
      continue;
    }
    const value = Object.hasOwn(given, spec.name) ? (given[spec.name] ?? spec.default) : spec.default;
    const expected = mismatch(spec, value);
    if (expected === undefined) {
      values[spec.name] = value;
    } else {
      problems.push({
        name: spec.name,
        message: `${spec.name}: expected ${expected}, got ${JSON.stringify(value)}`,
      });
    }
  }
  if (problems.length > 0) {
    throw new ParameterError(problems);
  }
  return values;
}

/**
 * Reads a value as a person writes it, in a form field or on a command line.
 * @throws ParameterError if `text` is no value for `spec`
 */
export function parseParameter(spec: ParameterSpec, text: string): ParameterValue {
  const value = interpret(spec, text);
  const expected = mismatch(spec, value);
  if (expected !== undefined) {
    throw new ParameterError([
      { name: spec.name, message: `${spec.name}: expected ${expected}, got ${JSON.stringify(text)}` },
    ]);
  }
  return value;
}

function interpret(spec: ParameterSpec, text: string): ParameterValue {
  switch (spec.type) {
    case 'integer':
    case 'number': {
      const value = Number(text);
      return text.trim() === '' || Number.isNaN(value) ? text : value;
    }
    case 'boolean':
    case 'weights':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'choice':
    case 'folder':
    case 'text':
    case 'path':
      return text;
  }
}

/** Ends of the names of files that hold weights. */
const WEIGHTS_FILE = /^[^\0]+\.(safetensors|pt|pth|bin)$/i;

/** What was expected, if `value` does not fit. */
function mismatch(spec: ParameterSpec, value: ParameterValue): string | undefined {
  switch (spec.type) {
    case 'integer':
      return Number.isSafeInteger(value) && inRange(spec, value)
        ? undefined
        : `a whole number${rangeText(spec)}`;
    case 'number':
      return Number.isFinite(value) && inRange(spec, value) ? undefined : `a number${rangeText(spec)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'choice':
      return typeof value === 'string' && spec.choices.includes(value)
        ? undefined
        : `one of ${spec.choices.join(', ')}`;
    case 'folder':
      return typeof value === 'string' && value.trim() !== '' && !value.includes('\0')
        ? undefined
        : 'the path of a folder, or "sample"';
    case 'text':
      if (typeof value !== 'string' || value.includes('\0')) {
        return 'text';
      }
      return spec.json === true && value !== '' && !isJsonText(value) ? 'JSON, such as [1, 2]' : undefined;
    case 'path':
      return typeof value === 'string' && !value.includes('\0') ? undefined : 'a path';
    case 'weights':
      return typeof value === 'boolean' || (typeof value === 'string' && WEIGHTS_FILE.test(value))
        ? undefined
        : 'true, false or the path of a .safetensors, .pt or .pth file';
  }
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Range {
  minimum?: number | undefined;
  maximum?: number | undefined;
  exclusiveMinimum?: boolean | undefined;
  exclusiveMaximum?: boolean | undefined;
}

function inRange(range: Range, value: ParameterValue): boolean {
  const { minimum = -Infinity, maximum = Infinity } = range;
  return (
    typeof value === 'number' &&
    (range.exclusiveMinimum === true ? value > minimum : value >= minimum) &&
    (range.exclusiveMaximum === true ? value < maximum : value <= maximum)
  );
}

function rangeText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Range): string {
  const low =
    minimum === undefined ? '' : ` ${exclusiveMinimum === true ? 'above' : 'of at least'} ${minimum}`;
  const high = maximum === undefined ? '' : ` ${exclusiveMaximum === true ? 'below' : 'at most'} ${maximum}`;
  return low !== '' && high !== '' ? `${low} and${high}` : low + high;
}
