import type { SyntaxNode } from '@lezer/common';
import { ModalExportError } from './exportError';
import type { PythonSource } from './pythonSource';
import { childrenOf } from './pythonSource';

/** A parameter of the training function that becomes an option of `modal run`. */
export interface AppParameter {
  name: string;
  /** Type in Python, one that Modal makes an option from. */
  type: string;
  /** Default as it is written; undefined if it has to be given. */
  default?: string;
  /** The function expects a `pathlib.Path`. */
  isPath: boolean;
}

export interface Signature {
  parameters: AppParameter[];
  /** Those that cannot be options: their defaults apply. */
  left: string[];
}

interface Written {
  name: string;
  type?: string;
  default?: SyntaxNode;
}

/**
 * What a function takes. `self` is left out, and so are `*args` and `**kwargs`.
 * @throws ModalExportError if it needs something that no option can give
 */
export function readSignature(source: PythonSource, definition: SyntaxNode): Signature {
  const list = definition.getChild('ParamList');
  const written = list === null ? [] : readList(source, list);
  const signature: Signature = { parameters: [], left: [] };
  for (const [index, parameter] of written.entries()) {
    const isSelf = index === 0 && parameter.name === 'self';
    if (isSelf) {
      continue;
    }
    const option = asOption(source, parameter);
    if (option !== undefined) {
      signature.parameters.push(option);
    } else if (parameter.default !== undefined) {
      signature.left.push(parameter.name);
    } else {
      throw new ModalExportError(
        `${source.path}: the parameter ${parameter.name} of ${source.nameOf(definition)} has no default, and ` +
          `${parameter.type ?? 'its type'} cannot be given on a command line. Give it a default, or one of the types ` +
          'str, int, float, bool, Path or Literal.',
      );
    }
  }
  // In Python those without a default come first, also where the function takes them by name alone.
  signature.parameters.sort((a, b) => Number(a.default !== undefined) - Number(b.default !== undefined));
  return signature;
}

function readList(source: PythonSource, list: SyntaxNode): Written[] {
  const written: Written[] = [];
  let skipsName = false;
  let present: Written | undefined;
  for (const node of childrenOf(list)) {
    if (node.name === ',') {
      skipsName = false;
      present = undefined;
    } else if (node.name === '*' || node.name === '**') {
      skipsName = true;
    } else if (present === undefined && node.name === 'VariableName' && !skipsName) {
      present = { name: source.text(node) };
      written.push(present);
    } else if (present !== undefined && node.name === 'TypeDef') {
      present.type = source.text(node).replace(/^:\s*/, '');
    } else if (present !== undefined && node.name !== 'AssignOp' && node.name !== ')') {
      present.default = node;
    }
  }
  return written;
}

function asOption(source: PythonSource, { name, type, default: value }: Written): AppParameter | undefined {
  const literal = value === undefined ? undefined : literalOf(source, value);
  if (value !== undefined && literal === undefined) {
    return undefined;
  }
  const found = type === undefined ? typeOfLiteral(literal) : typeOfAnnotation(type);
  if (found === undefined) {
    return undefined;
  }
  const isOptional = found.isOptional || literal?.text === 'None';
  return {
    name,
    type: isOptional && !found.type.startsWith('Literal') ? `${found.type} | None` : found.type,
    isPath: found.isPath,
    ...(literal === undefined ? {} : { default: literal.text }),
  };
}

interface Literal {
  text: string;
  kind: 'int' | 'float' | 'bool' | 'str' | 'None' | 'Path';
}

/** A default that means the same wherever it is written. */
function literalOf(source: PythonSource, node: SyntaxNode): Literal | undefined {
  const text = source.text(node);
  switch (node.name) {
    case 'None':
      return { text, kind: 'None' };
    case 'Boolean':
      return { text, kind: 'bool' };
    case 'String':
      return /^[rRuU]?["']/.test(text) ? { text, kind: 'str' } : undefined;
    case 'Number':
      return { text, kind: /^[\d_]+$/.test(text) ? 'int' : 'float' };
    case 'UnaryExpression':
      return /^-\s*[\d._]+(?:e[-+]?\d+)?$/i.test(text)
        ? { text, kind: /^-\s*[\d_]+$/.test(text) ? 'int' : 'float' }
        : undefined;
    case 'CallExpression': {
      const [, path] = /^(?:pathlib\.)?Path\(\s*([rR]?(?:"[^"\\]*"|'[^'\\]*'))\s*\)$/.exec(text) ?? [];
      return path === undefined ? undefined : { text: path, kind: 'Path' };
    }
    default:
      return undefined;
  }
}

interface OptionType {
  type: string;
  isOptional: boolean;
  isPath: boolean;
}

function typeOfLiteral(literal: Literal | undefined): OptionType {
  const kind = literal?.kind ?? 'None';
  const isPath = kind === 'Path';
  return {
    type: isPath || kind === 'None' ? 'str' : kind,
    isOptional: kind === 'None' && literal !== undefined,
    isPath,
  };
}

function typeOfAnnotation(annotation: string): OptionType | undefined {
  const bare = annotation
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .replaceAll(/\b(?:typing|t|pathlib|os)\./g, '');
  const [, optional] =
    /^Optional\[(.*)\]$/s.exec(bare) ??
    /^Union\[([^,]*),\s*None\]$/s.exec(bare) ??
    /^(.*?)\s*\|\s*None$/s.exec(bare) ??
    [];
  const alternatives = (optional ?? bare).split('|').map((part) => part.trim());
  const isPath = alternatives.some((part) => part === 'Path' || part === 'PathLike');
  const isOptional = optional !== undefined;
  if (isPath) {
    return { type: 'str', isOptional, isPath: !alternatives.includes('str') };
  }
  const [type = '', ...others] = alternatives;
  const isPlain = others.length === 0 && ['str', 'int', 'float', 'bool'].includes(type);
  const isLiteral = others.length === 0 && !isOptional && isChoice(type);
  return isPlain || isLiteral ? { type, isOptional, isPath: false } : undefined;
}

/** Modal makes a choice of texts, or of whole numbers. */
function isChoice(type: string): boolean {
  const [, values] = /^Literal\[(.*)\]$/s.exec(type) ?? [];
  const text = `(?:"[^"\\\\]*"|'[^'\\\\]*')`;
  const list = (item: string): RegExp => new RegExp(`^\\s*${item}\\s*(?:,\\s*${item}\\s*)*,?\\s*$`);
  return values !== undefined && (list(text).test(values) || list('-?\\d+').test(values));
}
