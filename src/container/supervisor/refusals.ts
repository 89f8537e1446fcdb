import { JSONRPCErrorException } from 'json-rpc-2.0';
import type { ParameterValues } from '../../protocol/parameters';
import { checkParameters, ParameterError } from '../../protocol/parameters';
import type { Program } from '../../protocol/program';
import { isUserProgram, recipeOf } from '../../protocol/program';
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
export function checkedParameters(
  recipe: string,
  params: ParameterValues,
  program: Program,
): ParameterValues {
  if (isUserProgram(program)) {
    // Who knows the code's signature is the trainer: it checks them when it calls the code.
    if (recipe !== recipeOf(program.entrypoint)) {
      throw refusal(ErrorCode.badParameters, `"${recipe}" is not the name of ${program.entrypoint}.`);
    }
    return params;
  }
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
