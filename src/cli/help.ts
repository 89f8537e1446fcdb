import type { ParameterSpec, RecipeSpec } from '../protocol/parameters';
import { CLASSIFIER } from '../protocol/recipes';
import type { Command } from './command';
import { factLines } from './format';
import { optionGroups } from './invocation';
import type { Option } from './options';
import { displayWidth, optionName, wrap } from './text';

const WIDEST = 100;
const INDENT = '  ';

const NOTES = [
  'The first command that trains starts a container: a process that goes on after the command has ended and ' +
    'stays warm for the scaledown window, so that the next training begins at once. VS Code uses the same one ' +
    'if its outputs folder is the same.',
  'Exit codes: 0 done, 1 failed, 2 bad arguments, 130 stopped; 129 or 141 if the terminal or the reader of the ' +
    'output went away.',
  'Environment: TINY_CATS_OUTPUTS and TINY_CATS_DATA name the volumes, TINY_CATS_HOME the folder of containers ' +
    'and engines (default ~/.tiny-cats), NO_COLOR turns colours off, TINY_CATS_DEBUG=1 shows stacks of errors.',
];

/** Help for all. @param columns width of the terminal */
export function generalHelp(commands: readonly Command[], columns: number): string {
  const width = Math.min(columns, WIDEST);
  return [
    'Usage: tiny-cats COMMAND [OPTION]…',
    '',
    'Trains image classifiers in a container that stays warm.',
    '',
    'Commands:',
    ...factLines([
      ...commands.map((command) => [usage(command), command.summary] as const),
      ['help [COMMAND]', 'Show help for all, or for one command'] as const,
      ['--version', 'Show the version'] as const,
    ]).map((line) => INDENT + line),
    ...paragraphs(NOTES, width),
  ].join('\n');
}

/** Help for one command, made from its options' specifications. @param recipe whose parameters it takes */
export function commandHelp(command: Command, columns: number, recipe: RecipeSpec = CLASSIFIER): string {
  const width = Math.min(columns, WIDEST);
  const groups = optionGroups(command, recipe).flatMap(({ title, options }) => [
    '',
    `${title}:`,
    ...optionLines(options, width),
  ]);
  return [
    `Usage: tiny-cats ${usage(command)} [OPTION]…`,
    ...paragraphs([command.summary, ...(command.details ?? [])], width),
    ...groups,
  ].join('\n');
}

function usage({ name, positional }: Command): string {
  if (positional === undefined) {
    return name;
  }
  return positional.required ? `${name} ${positional.name}` : `${name} [${positional.name}]`;
}

function paragraphs(texts: readonly string[], width: number): string[] {
  return texts.flatMap((text) => ['', ...wrap(text, width)]);
}

function optionLines(options: readonly Option[], width: number): string[] {
  const left = options.map(spelling);
  const leftWidth = Math.min(34, Math.max(...left.map(displayWidth)));
  const gap = INDENT.length + leftWidth + 2;
  return options.flatMap((option, index) => {
    const [first = '', ...rest] = wrap(description(option), Math.max(24, width - gap));
    const head = INDENT + (left[index] ?? '');
    const below = rest.map((line) => ' '.repeat(gap) + line);
    return displayWidth(head) > gap - 2
      ? [head, ' '.repeat(gap) + first, ...below]
      : [head.padEnd(gap) + first, ...below];
  });
}

function spelling({ spec, short, placeholder, negatable }: Option): string {
  const name = optionName(spec.name);
  const long = `--${negatable === true ? '[no-]' : ''}${name}`;
  const value = spec.type === 'boolean' ? '' : ` ${placeholder ?? placeholderOf(spec)}`;
  return `${short === undefined ? '' : `-${short}, `}${long}${value}`;
}

function placeholderOf(spec: ParameterSpec): string {
  switch (spec.type) {
    case 'integer':
    case 'number':
      return 'N';
    case 'choice':
      return 'NAME';
    case 'folder':
      return 'DIR';
    case 'text':
      return 'TEXT';
    case 'path':
      return 'PATH';
    case 'weights':
      return '[FILE]';
    case 'boolean':
      return '';
  }
}

function description({ spec, env, negatable }: Option): string {
  const notes = [
    ...(spec.type === 'choice' ? [`one of ${spec.choices.join(', ')}`] : []),
    ...(env === undefined ? [] : [`environment ${env}`]),
    ...(typeof spec.default === 'boolean'
      ? negatable === true
        ? [`default ${spec.default ? 'on' : 'off'}`]
        : []
      : spec.default === ''
        ? []
        : [`default ${spec.default}`]),
  ];
  return notes.length === 0 ? spec.description : `${spec.description} (${notes.join('; ')})`;
}
