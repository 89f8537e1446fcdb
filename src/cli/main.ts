import { version } from '../../package.json';
import { runCommandLine } from './cli';
import { ExitCode } from './errors';
import type { StopSignal } from './command';
import { processTerminal } from './terminal';

function onSignal(listener: (signal: StopSignal) => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

void runCommandLine(process.argv.slice(2), {
  terminal: processTerminal(),
  cwd: process.cwd(),
  env: process.env,
  bundleDir: __dirname,
  version,
  onSignal,
}).then((exitCode) => {
  // The process ends by itself once everything is written.
  process.exitCode ??= exitCode === ExitCode.done ? undefined : exitCode;
});
