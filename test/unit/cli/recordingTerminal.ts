import type { CliContext } from '../../../src/cli/command';
import { Terminal } from '../../../src/cli/terminal';

/** A terminal that remembers what was written. */
export interface Recording {
  terminal: Terminal;
  stdout: () => string;
  stderr: () => string;
}

export function recordingTerminal({ isTTY = false, colours = false, columns = 80 } = {}): Recording {
  let stdout = '';
  let stderr = '';
  const terminal = new Terminal({
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    isTTY,
    colours,
    columns: () => columns,
  });
  return { terminal, stdout: () => stdout, stderr: () => stderr };
}

/** A context for commands that start nothing. */
export function contextFor(terminal: Terminal, cwd: string, env: NodeJS.ProcessEnv = {}): CliContext {
  return { terminal, cwd, env, bundleDir: cwd, version: '1.2.3', onSignal: () => () => undefined };
}
