import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/javascript';
import type { ParameterSpec, RecipeSpec } from '../protocol/parameters';
import { recipeOf, splitEntrypoint } from '../protocol/program';
import type { Literal } from './literals';
import { childrenOf, literalOf, propertyName } from './literals';

export type Description =
  { ok: true; recipe: RecipeSpec } | { ok: false; message: string; file: string; line: number | undefined };

const DIALECTS: Readonly<Record<string, string>> = {
  ts: 'ts',
  mts: 'ts',
  cts: 'ts',
  tsx: 'ts jsx',
  jsx: 'jsx',
};

/**
 * What a file that exports `train` takes, read from its source, which is not run: the literal object that it exports as
 * `parameters`, else the defaults of the properties that `train` takes apart.
 */
export function describeTypeScript(folder: string, entrypoint: string): Description {
  const { path, name } = splitEntrypoint(entrypoint);
  const file = join(folder, path);
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch {
    return failure(`There is no file ${file}. Check the entrypoint.`, file);
  }
  const dialect = DIALECTS[path.split('.').at(-1) ?? ''] ?? '';
  const tree = parser.configure({ dialect }).parse(withoutAttributes(source));
  const lineOf = (at: number): number => source.slice(0, at).split('\n').length;
  let broken: number | undefined;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) {
        broken ??= node.from;
      }
    },
  });
  if (broken !== undefined) {
    const line = lineOf(broken);
    return failure(`${path}:${line} cannot be parsed. Correct it first.`, file, line);
  }
  const exported = exportsOf(tree.topNode, source);
  const wanted = name ?? 'train';
  const train = exported.get(wanted);
  if (train === undefined) {
    const others = [...exported.keys()].join(', ');
    const has = others === '' ? 'it exports nothing' : `it exports ${others}`;
    return failure(`${path} exports no function "${wanted}"; ${has}.`, file);
  }
  const declared = exported.get('parameters');
  const specs = declared === undefined ? fromPattern(train, source) : fromObject(declared, source);
  const problem = specs.find((spec) => typeof spec === 'string');
  if (typeof problem === 'string') {
    return failure(`${path}: ${problem}`, file, declared === undefined ? undefined : lineOf(declared.from));
  }
  return {
    ok: true,
    recipe: {
      name: recipeOf(entrypoint),
      title: entrypoint,
      description: commentBefore(train, source),
      parameters: specs.filter((spec) => typeof spec !== 'string'),
    },
  };
}

function failure(message: string, file: string, line?: number): Description {
  return { ok: false, message, file, line };
}

/** The functions and values that the file exports, by name: the node of each one's definition. */
function exportsOf(top: SyntaxNode, source: string): Map<string, SyntaxNode> {
  const local = new Map<string, SyntaxNode>();
  const exported = new Map<string, SyntaxNode>();
  for (const statement of childrenOf(top)) {
    const isExport = statement.name === 'ExportDeclaration';
    for (const node of isExport ? childrenOf(statement) : [statement]) {
      for (const [name, definition] of definitionsOf(node, source)) {
        local.set(name, definition);
        if (isExport) {
          exported.set(name, definition);
        }
      }
    }
    const group = isExport ? statement.getChild('ExportGroup') : null;
    for (const each of group === null ? [] : source.slice(group.from + 1, group.to - 1).split(',')) {
      const [from = '', to = from] = each.trim().split(/\s+as\s+/);
      const definition = local.get(from);
      if (definition !== undefined) {
        exported.set(to, definition);
      }
    }
    // export default { enter, train }
    const object =
      isExport && statement.getChild('default') !== null ? statement.getChild('ObjectExpression') : null;
    for (const property of object?.getChildren('Property') ?? []) {
      const name = propertyName(property, source);
      if (name !== undefined) {
        exported.set(name, definitionIn(property, local, source));
      }
    }
    // export default function
    const preset = isExport && statement.getChild('default') !== null ? statement : null;
    const alone = preset?.getChild('FunctionDeclaration') ?? preset?.getChild('ArrowFunction') ?? null;
    if (alone !== null && !exported.has('train')) {
      exported.set('train', alone);
    }
  }
  return exported;
}

/** What a property of the default export is: a method, a value, or a name that is defined in the file. */
function definitionIn(
  property: SyntaxNode,
  local: ReadonlyMap<string, SyntaxNode>,
  source: string,
): SyntaxNode {
  const value = property.getChild('ParamList') === null ? property.lastChild : null;
  const named = value === null ? undefined : local.get(source.slice(value.from, value.to));
  return named ?? value ?? property;
}

/** The source with `with { type: 'json' }` of its imports blanked, which the parser does not know. */
function withoutAttributes(source: string): string {
  return source.replace(
    /(\bfrom\s*(?:'[^'\n]*'|"[^"\n]*"))(\s*\b(?:with|assert)\s*\{[^}]*\})/g,
    (_, before: string, attributes: string) => before + attributes.replace(/[^\n]/g, ' '),
  );
}

function definitionsOf(node: SyntaxNode, source: string): [string, SyntaxNode][] {
  if (node.name === 'VariableDeclaration') {
    const value = node.lastChild?.name === ';' ? node.lastChild.prevSibling : node.lastChild;
    const name = node.getChild('VariableDefinition');
    return name === null || value === null ? [] : [[source.slice(name.from, name.to), value]];
  }
  const name = node.name === 'FunctionDeclaration' ? node.getChild('VariableDefinition') : null;
  return name === null ? [] : [[source.slice(name.from, name.to), node]];
}

/** `{ epochs = 10, lr = 0.1 }` as the first parameter. */
function fromPattern(train: SyntaxNode, source: string): (ParameterSpec | string)[] {
  // The bracket before it is a node, too, and a comment may be.
  const first = train.getChild('ParamList')?.firstChild;
  const open = first?.name === '(' ? first : undefined;
  const parameter = childAfter(open ?? first);
  const pattern = parameter?.name === 'ObjectPattern' ? parameter : undefined;
  return (pattern?.getChildren('PatternProperty') ?? []).map((property) => {
    const nameNode = property.firstChild;
    const name = nameNode === null ? '' : source.slice(nameNode.from, nameNode.to);
    const hasDefault = property.getChild('Equals') !== null;
    if (!hasDefault) {
      return { name, type: 'text', default: '', description: commentAfter(property, source), required: true };
    }
    const { lastChild } = property;
    const value = lastChild === null ? undefined : literalOf(lastChild, source);
    return value === undefined
      ? `the default of "${name}" has to be written out, since the code is not run to read it`
      : specOf(name, value, commentAfter(property, source));
  });
}

/** The next node that is no comment. */
function childAfter(node: SyntaxNode | null | undefined): SyntaxNode | null | undefined {
  let next = node?.nextSibling;
  while (next?.name === 'LineComment' || next?.name === 'BlockComment') {
    next = next.nextSibling;
  }
  return next;
}

/** `export const parameters = { epochs: 10, mode: ['fast', 'exact'], lr: { default: 0.1, minimum: 0 } }`. */
function fromObject(object: SyntaxNode, source: string): (ParameterSpec | string)[] {
  const written = object.name === 'ObjectExpression' ? object : object.getChild('ObjectExpression');
  if (written === null) {
    return ['"parameters" has to be an object that is written out, since the code is not run to read it'];
  }
  return written.getChildren('Property').map((property) => {
    const name = propertyName(property, source) ?? '';
    const value = property.lastChild === null ? undefined : literalOf(property.lastChild, source);
    return value === undefined
      ? `the default of "${name}" has to be written out, since the code is not run to read it`
      : specOf(name, value, commentAfter(property, source));
  });
}

function specOf(name: string, value: Literal, comment: string): ParameterSpec | string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && 'default' in value) {
    const { default: preset, description, minimum, maximum, choices } = value;
    const about = typeof description === 'string' ? description : comment;
    const spec = specOf(name, Array.isArray(choices) ? choices : (preset ?? ''), about);
    if (typeof spec === 'string') {
      return spec;
    }
    if (spec.type === 'choice' && typeof preset === 'string') {
      return { ...spec, default: preset };
    }
    if (spec.type === 'integer' || spec.type === 'number') {
      return {
        ...spec,
        ...(typeof minimum === 'number' ? { minimum } : {}),
        ...(typeof maximum === 'number' ? { maximum } : {}),
      };
    }
    return spec;
  }
  const common = { name, description: comment };
  if (typeof value === 'number') {
    return { ...common, type: Number.isInteger(value) ? 'integer' : 'number', default: value };
  }
  if (typeof value === 'boolean') {
    return { ...common, type: 'boolean', default: value };
  }
  if (typeof value === 'string') {
    return { ...common, type: 'text', default: value };
  }
  const choices = Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  const [first] = choices;
  if (Array.isArray(value) && first !== undefined && choices.length === value.length) {
    return { ...common, type: 'choice', default: first, choices };
  }
  return { ...common, type: 'text', default: value === null ? '' : JSON.stringify(value), json: true };
}

/** A comment at the end of the line of a parameter. */
function commentAfter(node: SyntaxNode, source: string): string {
  const end = source.indexOf('\n', node.to);
  const rest = source.slice(node.to, end === -1 ? undefined : end);
  const [, line, block] = /^\s*,?\s*(?:\/\/\s?(.*)|\/\*+(.*?)\*+\/.*)$/.exec(rest) ?? [];
  return (line ?? block ?? '').trim();
}

/** The first sentence of the comment above a function. */
function commentBefore(node: SyntaxNode, source: string): string {
  const owner = node.parent?.name === 'ExportDeclaration' ? node.parent : node;
  const before = owner.prevSibling;
  if (before?.name.endsWith('Comment') !== true) {
    return '';
  }
  return source
    .slice(before.from, before.to)
    .replace(/^\/\*+|\*+\/$|^\/\//g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*?\s?/, '').trim())
    .join(' ')
    .trim();
}
