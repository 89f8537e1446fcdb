import { sep } from 'node:path';
import type { SyntaxNode } from '@lezer/common';
import { ModalExportError } from './exportError';
import type { Signature } from './parameters';
import { readSignature } from './parameters';
import type { PythonSource } from './pythonSource';

/** What is trained with: a file of Python and what of it is called. */
export interface Entrypoint {
  /** Relative to the folder. */
  file: string;
  /** `train`, `TrainingContainer.train`, `TrainingContainer`; undefined: the file is run as a script. */
  target: string | undefined;
}

export type Entry =
  | { kind: 'function'; name: string; signature: Signature }
  | { kind: 'class'; name: string; method: string; enterMethods: string[]; signature: Signature }
  | { kind: 'script' };

const NAME = /^[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)?$/u;

/** @throws ModalExportError if it is not like `src/train.py:train` */
export function parseEntrypoint(text: string): Entrypoint {
  const colon = text.lastIndexOf(':');
  const isOnlyFile = text.endsWith('.py');
  const file = (isOnlyFile ? text : text.slice(0, Math.max(colon, 0)))
    .replaceAll(sep, '/')
    .replace(/^\.\//, '');
  const target = isOnlyFile ? undefined : text.slice(colon + 1);
  if (!file.endsWith('.py') || (target !== undefined && !NAME.test(target))) {
    throw new ModalExportError(
      `The entrypoint has to be like src/train.py:train, src/train.py:Container.train or src/train.py, not ${JSON.stringify(text)}.`,
    );
  }
  return { file, target };
}

/**
 * Finds in the file what the entrypoint names.
 * @throws ModalExportError if it is not there or cannot be called from a command line
 */
export function readEntry(source: PythonSource, target: string | undefined): Entry {
  if (target === undefined) {
    return { kind: 'script' };
  }
  const [name = '', methodName] = target.split('.');
  const definition = source.definition(name);
  if (definition === undefined) {
    const names = source.definitionNames();
    throw new ModalExportError(
      `${source.path} has no function or class ${name}` +
        (names.length === 0 ? '.' : `: there is ${names.join(', ')}.`),
    );
  }
  if (definition.name === 'ClassDefinition') {
    return readClass(source, definition, methodName);
  }
  if (methodName !== undefined) {
    throw new ModalExportError(`${source.path}: ${name} is a function and has no ${methodName}.`);
  }
  return { kind: 'function', name, signature: readSignature(source, definition) };
}

function readClass(source: PythonSource, definition: SyntaxNode, methodName: string | undefined): Entry {
  const name = source.nameOf(definition);
  if (source.decorators(definition).some((decorator) => /(?:^|\.)cls$/.test(decorator))) {
    throw new ModalExportError(
      `${source.path}: ${name} is a class of a Modal app already. Run it as it is: modal run ${source.path}`,
    );
  }
  const methods = source.methods(definition);
  const isMarked =
    (mark: string) =>
    (method: SyntaxNode): boolean =>
      source.decorators(method).some((decorator) => decorator === mark || decorator.endsWith(`.${mark}`));
  const method =
    methodName === undefined
      ? (methods.find(isMarked('train')) ?? methods.find((candidate) => source.nameOf(candidate) === 'train'))
      : methods.findLast((candidate) => source.nameOf(candidate) === methodName);
  if (method === undefined) {
    throw new ModalExportError(
      methodName === undefined
        ? `${source.path}: no method of ${name} is marked "train". Name one: ${name}.method`
        : `${source.path}: ${name} has no method ${methodName}.`,
    );
  }
  return {
    kind: 'class',
    name,
    method: source.nameOf(method),
    enterMethods: methods.filter(isMarked('enter')).map((enter) => source.nameOf(enter)),
    signature: readSignature(source, method),
  };
}
