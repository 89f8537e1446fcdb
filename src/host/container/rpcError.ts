import * as v from 'valibot';
import type { ParameterProblem } from '../../protocol/parameters';
import { ErrorCode } from '../../protocol/rpc';

const problemsSchema = v.object({
  problems: v.array(v.object({ name: v.string(), message: v.string() })),
});

/** Code of a container's refusal; undefined for any other error. */
export function errorCodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** The parameters that a container refused; undefined for any other error. */
export function parameterProblemsOf(error: unknown): ParameterProblem[] | undefined {
  if (errorCodeOf(error) !== ErrorCode.badParameters || !(error instanceof Error) || !('data' in error)) {
    return undefined;
  }
  const data = v.safeParse(problemsSchema, error.data);
  return data.success ? data.output.problems : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
