import { parseArgs } from 'node:util';
import type { ParameterSpec, ParameterValue, ParameterValues, RecipeSpec } from '../protocol/parameters';
import { parseParameter } from '../protocol/parameters';
import { isListable } from '../sweep/axes';
import { UsageError } from './errors';
import { optionName } from './text';

/** An option of the command line: a parameter, and how it is written. */
export interface Option {
  spec: ParameterSpec;
  short?: string;
  /** What stands for the value in the help. */
  placeholder?: string;
  /** Environment variable that gives the value where the option does not. */
  env?: string;
  /** A boolean that is on unless `--no-…` turns it off can be written both ways. */
  negatable?: boolean;
}

/** One option for each parameter of a recipe. */
export function recipeOptions(recipe: RecipeSpec): Option[] {
  return recipe.parameters.map((spec) => ({
    spec,
    negatable: spec.type === 'boolean' || spec.type === 'weights',
  }));
}

/** The option as it takes a list of values, which are read one by one; one that has no lists stays as it is. */
export function listOption(option: Option): Option {
  const { name, type, description, default: usual } = option.spec;
  if (!isListable(option.spec)) {
    return option;
  }
  const choices = option.spec.type === 'choice' ? `; of ${option.spec.choices.join(', ')}` : '';
  return {
    spec: { name, type: 'text', default: String(usual), description: `${description}${choices}` },
    placeholder: type === 'choice' ? 'NAME[,NAME]' : type === 'boolean' ? 'true,false' : 'N[,N]',
  };
}

export interface ParsedArguments {
  /** What was given, by parameter name, each value checked by itself. Of several for one option the last counts. */
  given: ParameterValues;
  positionals: string[];
}

/**
 * @throws UsageError for an unknown option or a missing value, naming the option
 * @throws ParameterError for a value that the option cannot take
 */
export function parseOptions(options: readonly Option[], args: readonly string[]): ParsedArguments {
  const spellings = new Map(options.flatMap((option) => spellingsOf(option)));
  // Not strict, since then a value may begin with a dash and the errors can be our own.
  const { tokens } = parseArgs({
    args: withOptionalValues(args, spellings),
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      [...spellings].map(([name, { option, negated }]) => [
        name,
        {
          type: negated || option.spec.type === 'boolean' ? ('boolean' as const) : ('string' as const),
          ...(option.short === undefined ? {} : { short: option.short }),
        },
      ]),
    ),
  });
  const given: ParameterValues = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      positionals.push(token.value);
    } else if (token.kind === 'option') {
      const spelling = spellings.get(token.name);
      if (spelling === undefined) {
        throw new UsageError(
          `Unknown option ${token.rawName}.${suggestion(token.name, [...spellings.keys()])}`,
        );
      }
      given[spelling.option.spec.name] = valueOf(spelling, token.rawName, token.value, token.inlineValue);
    }
  }
  return { given, positionals };
}

/** Weights can be asked for without saying which: `--pretrained` at the end or before another option. */
function withOptionalValues(args: readonly string[], spellings: ReadonlyMap<string, Spelling>): string[] {
  const end = args.indexOf('--');
  return args.map((arg, index) => {
    const spelling = arg.startsWith('--') ? spellings.get(arg.slice(2)) : undefined;
    const isWeights = spelling?.option.spec.type === 'weights' && !spelling.negated;
    const isOption = end < 0 || index < end;
    return isWeights && isOption && (args[index + 1]?.startsWith('-') ?? true) ? `${arg}=true` : arg;
  });
}

interface Spelling {
  option: Option;
  negated: boolean;
}

function spellingsOf(option: Option): [string, Spelling][] {
  const name = optionName(option.spec.name);
  const plain: [string, Spelling] = [name, { option, negated: false }];
  return option.negatable === true ? [plain, [`no-${name}`, { option, negated: true }]] : [plain];
}

function valueOf(
  { option: { spec }, negated }: Spelling,
  written: string,
  value: string | undefined,
  inline: boolean | undefined,
): ParameterValue {
  if (spec.type !== 'boolean' && !negated) {
    // "--data-dir --json" forgot the folder; "--lr -1" did not forget the number.
    if (value === undefined || (inline !== true && /^-\D/.test(value))) {
      throw new UsageError(`${written} needs a value.`);
    }
    return parseParameter(spec, value);
  }
  if (value === undefined) {
    return !negated;
  }
  if (negated) {
    throw new UsageError(`${written} takes no value.`);
  }
  return parseParameter(spec, value);
}

function suggestion(unknown: string, names: readonly string[]): string {
  const bare = (name: string): string => name.replace(/[-_]/g, '').toLowerCase();
  const wanted = bare(unknown);
  const near =
    names.find((name) => bare(name) === wanted) ??
    (wanted.length < 3 ? undefined : names.find((name) => bare(name).startsWith(wanted)));
  return near === undefined ? '' : ` Did you mean --${near}?`;
}
