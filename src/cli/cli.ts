import type { CliContext, Command } from './command';
import { COMMANDS } from './commands';
import { ExitCode, UsageError, explain } from './errors';
import { commandHelp, generalHelp } from './help';
import { readInvocation } from './invocation';
import { JsonPrinter } from './jsonPrinter';
import { codeOf, entrypointIn, pythonIn } from './program';
import { plainLines } from './text';

/** Runs the command line. @param args without the program's name. @returns the process's exit code; never throws */
export async function runCommandLine(args: readonly string[], context: CliContext): Promise<ExitCode> {
  const { terminal } = context;
  const [name, ...rest] = args;
  let command: Command | undefined;
  try {
    switch (name) {
      case undefined:
        terminal.message(generalHelp(COMMANDS, terminal.columns));
        return ExitCode.badArguments;
      case 'help':
      case '--help':
      case '-h':
        terminal.line(helpFor(rest[0], terminal.columns));
        return ExitCode.done;
      case '--version':
      case '-v':
        terminal.line(context.version);
        return ExitCode.done;
    }
    command = findCommand(name);
    const entrypoint = command.takesCode === true ? entrypointIn(rest) : undefined;
    const code = entrypoint === undefined ? undefined : await codeOf(entrypoint, pythonIn(rest), context);
    const invocation = readInvocation(command, rest, context, code);
    if (invocation.settings.help) {
      terminal.line(commandHelp(command, terminal.columns, invocation.recipe));
      return ExitCode.done;
    }
    return await command.run(context, invocation);
  } catch (error) {
    return report(error, command, args.includes('--json'), context);
  }
}

function helpFor(name: string | undefined, columns: number): string {
  return name === undefined ? generalHelp(COMMANDS, columns) : commandHelp(findCommand(name), columns);
}

function findCommand(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = COMMANDS.map((candidate) => candidate.name).join(', ');
    throw new UsageError(`There is no command ${JSON.stringify(name)}. There are ${names} and help.`);
  }
  return command;
}

function report(
  error: unknown,
  command: Command | undefined,
  json: boolean,
  { terminal, env }: CliContext,
): ExitCode {
  const { exitCode, code, message } = explain(error);
  terminal.clearProgress();
  if (json && command?.endsWithResult === true) {
    new JsonPrinter(terminal).failed({ code, message }, undefined);
  } else {
    terminal.message(terminal.style(plainLines(message), 'red'));
  }
  if (exitCode === ExitCode.badArguments) {
    terminal.message(
      `"tiny-cats help${command === undefined ? '' : ` ${command.name}`}" shows what can be given.`,
    );
  }
  if (env.TINY_CATS_DEBUG === '1' && error instanceof Error) {
    terminal.message(plainLines(error.stack ?? ''));
  }
  return exitCode;
}
