import type * as vscode from 'vscode';
import { join } from 'node:path';

/**
 * Runs the command line's `install-engine` in a terminal that stays open, on VS Code's own Node.
 * @param bundleDir folder of cli.js
 */
export async function installEngine(
  vs: Pick<typeof vscode, 'ProcessExecution' | 'Task' | 'TaskRevealKind' | 'TaskScope' | 'tasks'>,
  bundleDir: string,
): Promise<void> {
  const task = new vs.Task(
    { type: 'process' },
    vs.TaskScope.Workspace,
    'Install CUDA Engine',
    'Tiny Cats',
    new vs.ProcessExecution(process.execPath, [join(bundleDir, 'cli.js'), 'install-engine'], {
      env: { ELECTRON_RUN_AS_NODE: '1' },
    }),
  );
  task.presentationOptions = { reveal: vs.TaskRevealKind.Always, clear: true };
  await vs.tasks.executeTask(task);
}
