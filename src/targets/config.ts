import * as v from 'valibot';
import { dockerConfigSchema } from './docker/config';
import { modalConfigSchema } from './modal/config';
import { sshConfigSchema } from './ssh/config';

/** The target that needs no configuration. */
export const LOCAL_TARGET = { kind: 'local', name: 'local' } as const;

export const remoteTargetSchema = v.variant(
  'kind',
  [sshConfigSchema, dockerConfigSchema, modalConfigSchema],
  '"kind" has to be ssh, docker or modal',
);
export type RemoteTargetConfig = v.InferOutput<typeof remoteTargetSchema>;
export type TargetConfig = typeof LOCAL_TARGET | RemoteTargetConfig;

/** What an hour of its container costs; 0 if nobody has said. */
export function priceOf(target: TargetConfig): number {
  return target.kind === 'local' ? 0 : (target.pricePerHour ?? 0);
}

/** A target as a file keeps it. */
export const targetConfigSchema = v.union([
  v.strictObject({ kind: v.literal(LOCAL_TARGET.kind), name: v.literal(LOCAL_TARGET.name) }),
  remoteTargetSchema,
]);

/** A list of targets cannot be taken; `message` names the place, what is there and what was expected. */
export class TargetConfigError extends Error {
  override readonly name = 'TargetConfigError';
}

/**
 * Reads the value of the setting `tinyCats.targets`.
 * @throws TargetConfigError
 */
export function parseTargets(value: unknown): RemoteTargetConfig[] {
  const result = v.safeParse(v.array(remoteTargetSchema, 'has to be a list of targets'), value, {
    abortEarly: true,
  });
  if (!result.success) {
    const [issue] = result.issues;
    const place = v.getDotPath(issue);
    throw new TargetConfigError(`${place === null ? '' : `at "${place}": `}${issue.message}`);
  }
  const names = result.output.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new TargetConfigError(`has two targets with the name "${twice}"`);
  }
  return result.output;
}

/**
 * The target of that name.
 * @throws TargetConfigError if there is none
 */
export function findTarget(targets: readonly RemoteTargetConfig[], name: string): TargetConfig {
  if (name === LOCAL_TARGET.name) {
    return LOCAL_TARGET;
  }
  const found = targets.find((target) => target.name === name);
  if (found === undefined) {
    const names = [LOCAL_TARGET, ...targets].map((target) => `"${target.name}"`).join(', ');
    throw new TargetConfigError(`names no target: there is no "${name}" among ${names}`);
  }
  return found;
}
