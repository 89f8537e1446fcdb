import type { CheckedSettings } from './appSettings';
import type { Entry } from './entrypoint';
import type { LocalModules } from './localModules';
import type { AppParameter } from './parameters';

/** Where the user's files are in the container. */
export const CODE = '/app';

export interface AppContent {
  settings: CheckedSettings;
  entrypoint: string;
  entry: Entry;
  modules: LocalModules;
  requirements: readonly string[];
  /** Name of the file, without its folder. */
  appName: string;
  /** The way from the file's folder to that of the code; '' if they are the same. */
  toFolder: string;
}

/** A script, or a function without parameters that reads the command line. */
export function takesArguments(entry: Entry): boolean {
  return (
    entry.kind === 'script' ||
    (entry.kind === 'function' && entry.signature.parameters.length + entry.signature.left.length === 0)
  );
}

export function parametersOf(entry: Entry): AppParameter[] {
  return entry.kind === 'script' ? [] : entry.signature.parameters;
}

export function usesPackage({ modules }: AppContent, name: string): boolean {
  return modules.packages.includes(name);
}

export function warmsCuda(content: AppContent): boolean {
  return content.settings.gpu !== 'none' && usesPackage(content, 'torch');
}

export function inContainer(path: string): string {
  return path === '' ? CODE : `${CODE}/${path}`;
}
