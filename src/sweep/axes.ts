import type { ParameterSpec, ParameterValue, RecipeSpec } from '../protocol/parameters';
import { parseParameter } from '../protocol/parameters';

/** Whether a parameter's values can be written as a list: those of the others may have commas of their own. */
export function isListable({ type }: ParameterSpec): boolean {
  return type === 'integer' || type === 'number' || type === 'choice' || type === 'boolean';
}

/** The parameters of a recipe that a sweep can vary. */
export function listable({ parameters }: RecipeSpec): ParameterSpec[] {
  return parameters.filter(isListable);
}

/**
 * Reads "1e-3, 3e-4": each value once, in their order.
 * @throws ParameterError naming the parameter and the value that it cannot take
 */
export function parseValues(spec: ParameterSpec, text: string): ParameterValue[] {
  const parts = isListable(spec) ? text.split(',').map((part) => part.trim()) : [text];
  return [...new Set(parts.map((part) => parseParameter(spec, part)))];
}
