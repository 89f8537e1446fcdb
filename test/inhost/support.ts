import assert from 'node:assert/strict';
import { ConfigurationTarget, extensions, workspace } from 'vscode';
import type { TinyCatsApi } from '../../src/host/api';
import type { CommandName } from '../../src/host/contributions';
import { COMMANDS } from '../../src/host/contributions';
import { commands } from 'vscode';
import type { HostToPanel } from '../../src/protocol/panel';
import type { ParameterValues } from '../../src/protocol/parameters';
import type { RunRecord } from '../../src/protocol/run';

export async function tinyCats(): Promise<TinyCatsApi> {
  const extension = extensions.getExtension<TinyCatsApi>('tiny-cats.tiny-cats');
  assert.ok(extension);
  return extension.activate();
}

export function workspaceFolder(): string {
  const [folder] = workspace.workspaceFolders ?? [];
  assert.ok(folder, 'the suite needs a workspace folder');
  return folder.uri.fsPath;
}

export async function run(name: CommandName, ...args: unknown[]): Promise<void> {
  await commands.executeCommand(COMMANDS[name].id, ...args);
}

export async function setDefaultParameters(values: ParameterValues): Promise<void> {
  await workspace
    .getConfiguration('tinyCats')
    .update('defaultParameters', values, ConfigurationTarget.Workspace);
}

/** Resolves with the first value of `read` that is there, asking again whenever anything has changed. */
export async function eventually<T>(api: TinyCatsApi, read: () => T | undefined | false): Promise<T> {
  return new Promise((resolve) => {
    const check = (): boolean => {
      const value = read();
      if (value === undefined || value === false) {
        return false;
      }
      resolve(value);
      return true;
    };
    if (!check()) {
      const subscription = api.onDidChange(() => {
        if (check()) {
          subscription.dispose();
        }
      });
    }
  });
}

/** The newest run, once it is another one than `before` and has ended. */
export async function nextEnd(api: TinyCatsApi, before: string | undefined): Promise<RunRecord> {
  return eventually(api, () => {
    const [newest] = api.runs;
    return newest !== undefined && newest.runId !== before && newest.result !== undefined && newest;
  });
}

export type Snapshot = Extract<HostToPanel, { type: 'snapshot' }>;

/** The panel's newest snapshot of that run. */
export function snapshotOf(api: TinyCatsApi, runId: string): Snapshot | undefined {
  return api.panelMessages
    .filter((message) => message.type === 'snapshot')
    .findLast(({ run: shown }) => shown?.runId === runId);
}
