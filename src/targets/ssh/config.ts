import * as v from 'valibot';
import { commonOptions } from '../commonOptions';

const text = (what: string) => v.pipe(v.string(`has to be ${what}`), v.nonEmpty(`has to be ${what}`));

/** A machine that the system's OpenSSH reaches. */
export const sshConfigSchema = v.strictObject({
  kind: v.literal('ssh'),
  ...commonOptions,
  /** Name or address, as one would give it to ssh; `~/.ssh/config` counts. It must not look like an option. */
  host: v.pipe(text('the name of a host'), v.regex(/^[^-]/, 'has to be the name of a host')),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
  user: v.optional(v.pipe(text('the name of a user'), v.regex(/^[^-]/, 'has to be the name of a user'))),
  /** Where Tiny Cats keeps its things there: code, volumes, containers. */
  folder: v.optional(text('the path of a folder'), '~/.tiny-cats'),
  /** Node there, if it is not found by itself. */
  node: v.optional(text('the path of node')),
  /** Whether a Node may be installed into the folder through npm where there is none. */
  installNode: v.optional(v.boolean('has to be true or false'), false),
});
export type SshConfig = v.InferOutput<typeof sshConfigSchema>;
