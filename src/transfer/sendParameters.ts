import { basename } from 'node:path';
import { stat } from 'node:fs/promises';
import type { ParameterSpec, ParameterValues } from '../protocol/parameters';
import type { Program } from '../protocol/program';
import { RECIPES_PROGRAM, isUserProgram } from '../protocol/program';
import { SAMPLE_DATA_SET, findRecipe } from '../protocol/recipes';
import { REMOTE_PREFIX, SENT_PREFIX } from '../protocol/transfer';
import { isRunId } from '../volume/outputsVolume';
import type { FileLink } from './link';
import type { SendOptions } from './sendFolder';
import { sendFolder, sentName } from './sendFolder';

/** What of a recipe's parameters names folders and files of this machine, by name. */
export function pathsToSend(
  recipe: string,
  params: ParameterValues,
  program: Program = RECIPES_PROGRAM,
): Map<string, string> {
  const paths = new Map<string, string>();
  if (isUserProgram(program)) {
    // Its parameters are what they are; a recipe of the same name has nothing to do with it.
    return paths;
  }
  for (const { name, type } of findRecipe(recipe)?.parameters ?? []) {
    const value = params[name];
    if (typeof value === 'string' && isLocalPath(type, value)) {
      paths.set(name, value);
    }
  }
  return paths;
}

function isLocalPath(type: ParameterSpec['type'], value: string): boolean {
  if (value === '' || value.startsWith(REMOTE_PREFIX)) {
    return false;
  }
  switch (type) {
    case 'folder':
      return value !== SAMPLE_DATA_SET;
    case 'path':
      return !isRunId(value);
    case 'weights':
      return true;
    case 'integer':
    case 'number':
    case 'boolean':
    case 'choice':
    case 'text':
      return false;
  }
}

/**
 * Brings what parameters name to the container's machine.
 * @returns where it is there, by parameter
 */
export async function sendParameters(
  link: FileLink,
  paths: ReadonlyMap<string, string>,
  options: SendOptions,
): Promise<Record<string, string>> {
  const sent: Record<string, string> = {};
  for (const [name, path] of paths) {
    await sendFolder(link, path, options);
    sent[name] = await sentPath(path);
  }
  return sent;
}

/** Parameters by which a container can prepare for what will be there once it was sent. */
export async function expectedParameters(
  recipe: string,
  params: ParameterValues,
  program?: Program,
): Promise<ParameterValues> {
  const expected = { ...params };
  for (const [name, path] of pathsToSend(recipe, params, program)) {
    expected[name] = `${SENT_PREFIX}${await sentPath(path)}`;
  }
  return expected;
}

/** A file is sent as a folder with that file in it. */
async function sentPath(path: string): Promise<string> {
  const isFile = await stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
  return isFile ? `${sentName(path)}/${basename(path)}` : sentName(path);
}
