import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import type { ParseError } from 'jsonc-parser';
import type { RemoteTargetConfig, TargetConfig } from '../targets/config';
import { LOCAL_TARGET, TargetConfigError, findTarget, parseTargets } from '../targets/config';
import { stateHome } from '../targets/local/stateHome';
import { UsageError } from './errors';

const SETTING = 'tinyCats.targets';

/**
 * The targets that the command line knows: those of the workspace's VS Code settings, then those of the user's own
 * `targets.json`. Of two with one name the workspace's counts.
 * @param cwd the workspace's folder
 * @throws UsageError naming the file and what is wrong in it
 */
export function readTargets(cwd: string): RemoteTargetConfig[] {
  const workspace = targetsIn(join(cwd, '.vscode', 'settings.json'), (settings) => settings[SETTING]);
  const own = targetsIn(userTargetsFile(), ({ targets }) => targets);
  const names = new Set(workspace.map(({ name }) => name));
  return [...workspace, ...own.filter(({ name }) => !names.has(name))];
}

/** The user's own targets, for every workspace. */
export function userTargetsFile(): string {
  return join(stateHome(), 'targets.json');
}

/** @throws UsageError if there is none of that name */
export function configOf(cwd: string, name: string): TargetConfig {
  if (name === LOCAL_TARGET.name) {
    return LOCAL_TARGET;
  }
  try {
    return findTarget(readTargets(cwd), name);
  } catch (error) {
    if (error instanceof TargetConfigError) {
      throw new UsageError(`--target ${error.message}.`);
    }
    throw error;
  }
}

function targetsIn(
  path: string,
  listOf: (content: Record<string, unknown>) => unknown,
): RemoteTargetConfig[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const errors: ParseError[] = [];
  const content: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined || typeof content !== 'object' || content === null) {
    const reason = error === undefined ? 'no JSON' : printParseErrorCode(error.error);
    throw new UsageError(`${path} cannot be read: ${reason} at character ${error?.offset ?? 0}.`);
  }
  try {
    return parseTargets(listOf({ ...content }) ?? []);
  } catch (failure) {
    if (failure instanceof TargetConfigError) {
      throw new UsageError(`${path}: ${SETTING} ${failure.message}.`);
    }
    throw failure;
  }
}
