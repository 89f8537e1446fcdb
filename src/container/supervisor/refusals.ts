import { JSONRPCErrorException } from 'json-rpc-2.0';
import type { ParameterValues } from '../../protocol/parameters';
import { checkParameters, ParameterError } from '../../protocol/parameters';
import { findRecipe } from '../../protocol/recipes';
import { ErrorCode } from '../../protocol/rpc';

/** An error that the client is told with a code of its own. */
export function refusal(code: number, message: string, data?: unknown): JSONRPCErrorException {
  return new JSONRPCErrorException(message, code, data);
}

export function noSuchRun(runId: string): JSONRPCErrorException {
  return refusal(ErrorCode.noSuchRun, `The outputs volume has no run ${runId}.`);
}

/** Checks what a client asks for. @throws JSONRPCErrorException naming every problem */
export function checkedParameters(recipe: string, params: ParameterValues): ParameterValues {
  const spec = findRecipe(recipe);
  if (spec === undefined) {
    throw refusal(ErrorCode.badParameters, `There is no recipe "${recipe}".`);
  }
  try {
    return checkParameters(spec, params);
  } catch (error) {
    if (error instanceof ParameterError) {
      throw refusal(ErrorCode.badParameters, error.message, { problems: error.problems });
    }
    throw error;
  }
}
