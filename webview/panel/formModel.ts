import type {
  ParameterProblem,
  ParameterSpec,
  ParameterValue,
  ParameterValues,
  RecipeSpec,
} from '../../src/protocol/parameters';
import { ParameterError, defaultParameters, parseParameter } from '../../src/protocol/parameters';
import { humanName } from '../shared/format';

/** Parameters that nearly every run changes; the rest is advanced. */
const MAIN: ReadonlySet<string> = new Set(['data_dir', 'epochs', 'steps', 'batch_size', 'lr', 'backbone']);

/** So many are shown all at once. */
const FEW = 8;

/** Splits a recipe's parameters into those always shown and those under "Advanced". */
export function groupParameters(recipe: RecipeSpec): { main: ParameterSpec[]; advanced: ParameterSpec[] } {
  if (recipe.parameters.length <= FEW) {
    return { main: [...recipe.parameters], advanced: [] };
  }
  return {
    main: recipe.parameters.filter((spec) => MAIN.has(spec.name) || spec.required === true),
    advanced: recipe.parameters.filter((spec) => !MAIN.has(spec.name) && spec.required !== true),
  };
}

/** Words that parameters' names shorten, as people say them. */
const WORDS: Record<string, string> = {
  dir: 'folder',
  lr: 'learning rate',
  num: 'number of',
  val: 'validation',
};

/** The label of a field: "Batch size" for `batch_size`, "Learning rate" for `lr`. */
export function parameterLabel(name: string): string {
  return humanName(
    name
      .split('_')
      .map((word) => WORDS[word] ?? word)
      .join('_'),
  );
}

/** What a field shows where nobody has given a value: nothing, if one has to be given. */
export function defaultText(spec: ParameterSpec): string {
  return spec.required === true ? '' : fieldText(spec.default);
}

/** A value as a field shows it; small numbers as people write them: 0.0001, 1e-7. */
export function fieldText(value: ParameterValue): string {
  return String(value);
}

/** What is wrong with `text` as a value of `spec`, without the name that the field shows anyway; null if nothing. */
export function fieldProblem(spec: ParameterSpec, text: string): string | null {
  if (spec.required === true && text.trim() === '') {
    return 'A value is needed, it has no default';
  }
  try {
    parseParameter(spec, text);
    return null;
  } catch (error) {
    if (error instanceof ParameterError) {
      return problemText(spec.name, error.message);
    }
    throw error;
  }
}

/** "epochs: expected a whole number" under the field "Epochs" is "Expected a whole number". */
export function problemText(name: string, message: string): string {
  const text = message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Reads all fields; `problems` is empty if `values` can be sent. */
export function readFields(
  recipe: RecipeSpec,
  texts: ReadonlyMap<string, string>,
): { values: ParameterValues; problems: ParameterProblem[] } {
  const values: ParameterValues = {};
  const problems: ParameterProblem[] = [];
  for (const spec of recipe.parameters) {
    const text = texts.get(spec.name) ?? defaultText(spec);
    const message = fieldProblem(spec, text);
    if (message === null) {
      values[spec.name] = parseParameter(spec, text);
    } else {
      problems.push({ name: spec.name, message });
    }
  }
  return { values, problems };
}

/** The parameters of a run in the recipe's order, and whether each differs from the recipe's default. */
export function parameterRows(
  recipe: RecipeSpec,
  params: ParameterValues,
): { name: string; text: string; changed: boolean; given: boolean }[] {
  const defaults = defaultParameters(recipe);
  const known = recipe.parameters.map((spec) => spec.name).filter((name) => Object.hasOwn(params, name));
  const others = Object.keys(params).filter((name) => !known.includes(name));
  return [...known, ...others].map((name) => {
    const value = params[name] ?? '';
    return {
      name,
      text: value === '' ? 'none' : fieldText(value),
      changed: Object.hasOwn(defaults, name) && defaults[name] !== value,
      given: known.includes(name) && !Object.hasOwn(defaults, name),
    };
  });
}
