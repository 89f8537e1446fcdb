import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/python';
import { ModalExportError } from './exportError';

/** `import a.b` or `from ..a import b, c`: what a statement may load. */
export interface Import {
  /** Leading dots; 0 for an absolute import. */
  level: number;
  /** Between the dots; empty for `from . import b`. */
  module: string[];
  /** What is taken from it, each perhaps a module. Empty for `import a.b`. */
  names: string[];
  /** It stands in a `try`: the code can do without. */
  isOptional: boolean;
}

/** One source file of Python, read and never run. */
export class PythonSource {
  private readonly root: SyntaxNode;

  /** @param path how errors name the file */
  constructor(
    readonly path: string,
    private readonly source: string,
  ) {
    this.root = parser.parse(source).topNode;
  }

  /** @throws ModalExportError if it cannot be parsed */
  check(): void {
    this.root.cursor().iterate((node) => {
      if (node.type.isError) {
        const line = this.source.slice(0, node.from).split('\n').length;
        throw new ModalExportError(`${this.path}:${line} cannot be parsed as Python. Correct it first.`);
      }
    });
  }

  /** Wherever they stand, also in functions, and `importlib.import_module` with a plain text. */
  imports(): Import[] {
    const found: Import[] = [];
    this.root.cursor().iterate((node) => {
      if (node.name === 'ImportStatement') {
        found.push(...this.readImport(node.node));
      } else if (node.name === 'CallExpression') {
        const text = this.text(node.node);
        const [, name] = /^(?:importlib\.)?import_module\(\s*["']([\w.]+)["']\s*\)$/.exec(text) ?? [];
        if (name !== undefined) {
          found.push({ level: 0, module: name.split('.'), names: [], isOptional: isTried(node.node) });
        }
      }
    });
    return found;
  }

  /** Functions and classes at the top of the file; the last of a name counts. */
  definition(name: string): SyntaxNode | undefined {
    return this.definitionsIn(this.root).findLast((node) => this.nameOf(node) === name);
  }

  /** Names of the functions and classes at the top of the file. */
  definitionNames(): string[] {
    return this.definitionsIn(this.root).map((node) => this.nameOf(node));
  }

  methods(classNode: SyntaxNode): SyntaxNode[] {
    const body = classNode.getChild('Body');
    return body === null ? [] : this.definitionsIn(body).filter((node) => node.name === 'FunctionDefinition');
  }

  nameOf(definition: SyntaxNode): string {
    const name = definition.getChild('VariableName');
    return name === null ? '' : this.text(name);
  }

  /** As they are written, without the @ and the arguments: `modal.enter`. */
  decorators(definition: SyntaxNode): string[] {
    const { parent } = definition;
    return parent?.name === 'DecoratedStatement'
      ? parent.getChildren('Decorator').map((node) =>
          this.text(node)
            .replace(/^@\s*|\(.*$/gs, '')
            .trim(),
        )
      : [];
  }

  text(node: SyntaxNode): string {
    return this.source.slice(node.from, node.to);
  }

  private definitionsIn(parent: SyntaxNode): SyntaxNode[] {
    return childrenOf(parent).flatMap((child) => {
      const node = child.name === 'DecoratedStatement' ? child.lastChild : child;
      return node?.name === 'FunctionDefinition' || node?.name === 'ClassDefinition' ? [node] : [];
    });
  }

  private readImport(statement: SyntaxNode): Import[] {
    const tokens = childrenOf(statement).map((node) => ({ name: node.name, text: this.text(node) }));
    const at = tokens.findIndex(({ name }) => name === 'import');
    const taken = namesBetweenCommas(tokens.slice(at + 1));
    const isOptional = isTried(statement);
    if (tokens[0]?.name !== 'from') {
      return taken.map((module) => ({ level: 0, module, names: [], isOptional }));
    }
    const source = tokens.slice(1, at);
    const isDot = ({ name }: { name: string }): boolean => name === '.' || name === '...';
    const firstName = source.findIndex((token) => !isDot(token));
    const dots = firstName < 0 ? source : source.slice(0, firstName);
    return [
      {
        level: dots.reduce((sum, { text }) => sum + text.length, 0),
        module: source.filter(({ name }) => name === 'VariableName').map(({ text }) => text),
        names: taken.map(([name = '']) => name),
        isOptional,
      },
    ];
  }
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    children.push(child);
  }
  return children;
}

function isTried(node: SyntaxNode): boolean {
  for (let above = node.parent; above !== null; above = above.parent) {
    if (above.name === 'TryStatement') {
      return true;
    }
  }
  return false;
}

/** `a.b as c, d` is [[a, b], [d]]. */
function namesBetweenCommas(tokens: readonly { name: string; text: string }[]): string[][] {
  const lists: string[][] = [[]];
  let isAlias = false;
  for (const { name, text } of tokens) {
    if (name === ',') {
      lists.push([]);
      isAlias = false;
    } else if (name === 'as') {
      isAlias = true;
    } else if (name === 'VariableName' && !isAlias) {
      lists.at(-1)?.push(text);
    }
  }
  return lists.filter((list) => list.length > 0);
}
