import type { Chance } from './chance';

const METHODS = [
  ...(['hello', 'status', 'train', 'stop', 'attach', 'detach', 'runs', 'pin', 'configure'] as const),
  ...([
    'fly',
    '',
    '__proto__',
    'constructor',
    'toString',
    'rpc.discover',
    'event',
    '\u0000',
    'HELLO',
  ] as const),
] as const;
const KEYS = [
  ...(['runId', 'recipe', 'params', 'afterSeq', 'kill', 'protocol', 'client', 'pinned', 'waitedMs'] as const),
  ...([
    'scaledownWindowMs',
    'keepDates',
    'retries',
    'epochs',
    '__proto__',
    'constructor',
    '',
    'ключ',
  ] as const),
] as const;
const ATOMS = [
  ...(['null', 'true', '0', '-1', '1.5', '1e999', '-1e308', '9007199254740993', '1e-400', '""'] as const),
  ...(['"__proto__"', '"../../etc/passwd"', '"20260101-000000-abcdef"', '"\\u0000"', '"\\ud800"'] as const),
  ...([
    '"<img src=x onerror=alert(1)>"',
    '"$(reboot)"',
    '{}',
    '[]',
    '[null]',
    '{"__proto__":{"x":1}}',
  ] as const),
] as const;
/** No JSON at all. */
const NONSENSE = [
  ...([
    '',
    ' ',
    'NaN',
    'undefined',
    '{',
    '}',
    '[',
    '"',
    '{"a":',
    '[1,',
    "{'a':1}",
    '\ufeff{}',
    '/**/',
  ] as const),
  ...([
    '{"jsonrpc":"2.0","id":1,"method":"status"',
    '{"a":NaN}',
    '{"a":Infinity}',
    '\u0000',
    '01',
    '+1',
  ] as const),
] as const;

/** One message that no well-behaved client would send. It never asks for what would succeed and change something. */
export function malformed(chance: Chance): string | Buffer {
  switch (chance.between(1, 10)) {
    case 1:
      return chance.pick(NONSENSE);
    case 2:
      return deep(chance);
    case 3:
      return Buffer.from(Array.from({ length: chance.between(0, 200) }, () => chance.between(0, 255)));
    case 4:
      return atom(chance);
    case 5:
      return damaged(request(chance), chance);
    case 6:
      return `[${Array.from({ length: chance.between(0, 4) }, () => request(chance)).join()}]`;
    default:
      return request(chance);
  }
}

function request(chance: Chance): string {
  const members = [
    `"jsonrpc":${chance.pick(['"2.0"', '"2.0"', '"2.0"', '"1.0"', '2', 'null'])}`,
    `"id":${chance.pick([String(chance.between(1, 1e6)), '"a"', '{}', '[]', 'null', '1e999', '[[[]]]'])}`,
    `"method":${chance.between(1, 8) === 1 ? atom(chance) : JSON.stringify(chance.pick(METHODS))}`,
    `"params":${value(chance, 3)}`,
  ];
  return `{${members.filter(() => chance.between(1, 12) !== 1).join()}}`;
}

function value(chance: Chance, depth: number): string {
  const length = chance.between(0, 4);
  switch (depth === 0 ? 1 : chance.between(1, 4)) {
    case 1:
      return atom(chance);
    case 2:
      return `[${Array.from({ length }, () => value(chance, depth - 1)).join()}]`;
    default:
      return `{${Array.from({ length }, () => `${JSON.stringify(chance.pick(KEYS))}:${value(chance, depth - 1)}`).join()}}`;
  }
}

function atom(chance: Chance): string {
  return chance.pick(ATOMS);
}

/** Nested as deep as a stack would go, in a place where it is carried about. */
function deep(chance: Chance): string {
  const depth = chance.between(33, 20_000);
  const [open, close] = chance.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ]);
  const nest = open.repeat(depth) + '0' + close.repeat(depth);
  return chance.pick([
    nest,
    `{"jsonrpc":"2.0","id":${nest},"method":"status"}`,
    `{"jsonrpc":"2.0","id":1,"method":"status","params":${nest}}`,
  ]);
}

/** One character less, more or other than it should be. */
function damaged(text: string, chance: Chance): string {
  const at = chance.between(0, text.length);
  const rest = text.slice(at + chance.between(0, 1));
  return text.slice(0, at) + chance.pick(['', '"', '}', ']', '\\', ',', '\u0007', '9']) + rest;
}
