import type { SyntaxNode } from '@lezer/common';

export type Literal = number | string | boolean | null | Literal[] | { [name: string]: Literal };

/** The value of an expression that is written out; undefined if it has to be computed. */
export function literalOf(node: SyntaxNode, source: string): Literal | undefined {
  const text = source.slice(node.from, node.to);
  switch (node.name) {
    case 'Number':
      return Number(text.replaceAll('_', ''));
    case 'UnaryExpression': {
      const value = Number(text.replaceAll('_', ''));
      return Number.isNaN(value) ? undefined : value;
    }
    case 'String':
      return unquoted(text);
    case 'TemplateString':
      return text.includes('${') ? undefined : unquoted(text);
    case 'BooleanLiteral':
      return text === 'true';
    case 'null':
      return null;
    case 'ParenthesizedExpression':
    case 'BinaryExpression': {
      // Of `{ … } as const` and `{ … } satisfies T` the first part.
      const first = node.name === 'ParenthesizedExpression' ? node.firstChild?.nextSibling : node.firstChild;
      const isCast = /\b(as|satisfies)\b/.test(source.slice(first?.to ?? node.from, node.to));
      return first !== null && first !== undefined && (isCast || node.name === 'ParenthesizedExpression')
        ? literalOf(first, source)
        : undefined;
    }
    case 'ArrayExpression': {
      const values = childrenOf(node)
        .filter(({ name }) => !/^[[\],]$|Comment$/.test(name))
        .map((child) => literalOf(child, source));
      return values.every((value) => value !== undefined) ? values : undefined;
    }
    case 'ObjectExpression': {
      const entries = node.getChildren('Property').map((property) => {
        const name = propertyName(property, source);
        const value = property.lastChild === null ? undefined : literalOf(property.lastChild, source);
        return name === undefined || value === undefined ? undefined : ([name, value] as const);
      });
      return entries.every((entry) => entry !== undefined) ? Object.fromEntries(entries) : undefined;
    }
    default:
      return undefined;
  }
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    children.push(child);
  }
  return children;
}

/** The name of an object's property, without quotes. */
export function propertyName(property: SyntaxNode, source: string): string | undefined {
  const name = property.getChild('PropertyDefinition') ?? property.firstChild;
  if (name === null) {
    return undefined;
  }
  const text = source.slice(name.from, name.to);
  return name.name === 'String' ? unquoted(text) : text;
}

function unquoted(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  return text.slice(1, -1).replace(/\\(.)/gs, (_, character: string) => escapes[character] ?? character);
}
