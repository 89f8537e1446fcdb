import * as v from 'valibot';

/** A name is also that of a folder. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

/** What every configured target has. */
export const commonOptions = {
  name: v.pipe(
    v.string('has to be a text'),
    v.regex(NAME, 'has to be letters and digits, with spaces, dots, dashes and underscores between them'),
    v.check((name) => name.toLowerCase() !== 'local', '"local" is this machine, and is always there'),
  ),
  /** Python there for your own code, 3.9 or newer; `python3` if not given. */
  python: v.optional(
    v.pipe(v.string('has to be the path of a Python'), v.nonEmpty('has to be the path of a Python')),
  ),
  /** What an hour of its container costs, in whatever currency. */
  pricePerHour: v.optional(v.pipe(v.number('has to be a number'), v.minValue(0, 'has to be at least 0'))),
};
