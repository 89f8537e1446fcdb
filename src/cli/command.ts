import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import type { Program } from '../protocol/program';
import type { ExitCode } from './errors';
import type { Option } from './options';
import type { Settings } from './settings';
import type { Terminal } from './terminal';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** What the commands need of the process that they run in. */
export interface CliContext {
  terminal: Terminal;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Folder of container.js and trainer.js. */
  bundleDir: string;
  version: string;
  /** Calls the listener, in place of ending the process, until the returned function is called. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
}

/** A command line that was read and checked. */
export interface Invocation {
  settings: Settings;
  /** What the user's own code takes is one as well. */
  recipe: RecipeSpec;
  program: Program;
  /** The recipe's parameters as given, folders absolute, and the command's own options. */
  given: ParameterValues;
  positional: string | undefined;
  positionals: readonly string[];
}

export interface Command {
  name: string;
  /** For the list of commands. */
  summary: string;
  /** Paragraphs of its own help. */
  details?: readonly string[];
  /** `many`: it may be several words. */
  positional?: { name: string; required: boolean; many?: boolean };
  /** Options beside the common ones. */
  options: readonly Option[];
  /** Whether it takes the parameters of a recipe as options. */
  takesParameters?: boolean;
  /** Whether it takes the user's own code in a recipe's place. */
  takesCode?: boolean;
  /** Whether those may be lists of values: `--lr 1e-3,3e-4`. */
  takesLists?: boolean;
  /** Whether `--json` ends with a result object, also if there was no run. */
  endsWithResult?: boolean;
  run(context: CliContext, invocation: Invocation): Promise<ExitCode>;
}
