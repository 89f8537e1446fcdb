import { version } from '../../package.json';
import { runCommandLine } from './cli';
import { ExitCode } from './errors';
import type { StopSignal } from './command';
import { processTerminal } from './terminal';
import { plainLines } from './text';

function onSignal(listener: (signal: StopSignal) => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

const terminal = processTerminal();

// What nothing waits for, such as a volume that goes away while a dropped link is being restored.
process.on('uncaughtException', (error) => {
  terminal.clearProgress();
  terminal.message(
    plainLines(process.env.TINY_CATS_DEBUG === '1' ? (error.stack ?? error.message) : error.message),
  );
  process.exit(ExitCode.failed);
});

void runCommandLine(process.argv.slice(2), {
  terminal,
  cwd: process.cwd(),
  env: process.env,
  bundleDir: __dirname,
  version,
  onSignal,
}).then((exitCode) => {
  // The process ends by itself once everything is written.
  process.exitCode ??= exitCode === ExitCode.done ? undefined : exitCode;
});
