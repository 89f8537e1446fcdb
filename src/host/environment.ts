import type * as vscode from 'vscode';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import { OutputsVolume } from '../volume/outputsVolume';
import { SETTINGS, SETTINGS_SECTION } from './contributions';
import type { Disposable } from './disposables';
import type { HostSettings } from './settings';
import { SettingsError, readSettings } from './settings';

/** The workspace as the other parts see it: its folder, its trust and its settings. */
export class Environment {
  constructor(
    private readonly vs: Pick<typeof vscode, 'workspace'>,
    private readonly recipe: RecipeSpec,
  ) {}

  /** Path of the first workspace folder; undefined if none on a disk is open. */
  get folder(): string | undefined {
    return this.workspaceFolder?.uri.fsPath;
  }

  get isTrusted(): boolean {
    return this.vs.workspace.isTrusted;
  }

  /** Whether a container may be started here at all. */
  get mayTrain(): boolean {
    return this.isTrusted && this.folder !== undefined;
  }

  /** Why `mayTrain` is false, in words for the user. */
  get obstacle(): string {
    return this.folder === undefined
      ? 'Open a folder first: runs and checkpoints are kept in it.'
      : 'This workspace is in Restricted Mode. Tiny Cats shows what is there and starts nothing; trust the workspace to train.';
  }

  /**
   * The settings as they are now; undefined without a folder.
   * @throws SettingsError
   */
  get settings(): HostSettings | undefined {
    const folder = this.workspaceFolder;
    if (folder === undefined) {
      return undefined;
    }
    const configuration = this.vs.workspace.getConfiguration(SETTINGS_SECTION, folder.uri);
    return readSettings((name) => configuration.get<unknown>(name), folder.uri.fsPath, this.recipe);
  }

  /** @throws Error in words for the user, without a folder or with settings that cannot be used */
  requireSettings(): HostSettings {
    const { settings } = this;
    if (settings === undefined) {
      throw new Error(this.obstacle);
    }
    return settings;
  }

  /** The outputs volume; undefined without a folder or with settings that cannot be used. */
  get volume(): OutputsVolume | undefined {
    const settings = this.usableSettings;
    return settings === undefined ? undefined : new OutputsVolume(settings.outputsDir);
  }

  /** The setting of that name; empty if it cannot be used, which the next training says. */
  get defaultParameters(): ParameterValues {
    return this.usableSettings?.defaultParameters ?? {};
  }

  get targetName(): string {
    return this.usableSettings?.target ?? SETTINGS.target.default;
  }

  private get usableSettings(): HostSettings | undefined {
    try {
      return this.settings;
    } catch (error) {
      if (error instanceof SettingsError) {
        return undefined;
      }
      throw error;
    }
  }

  /** Calls `listener` when settings, folders or trust have changed. */
  onChange(listener: () => void): Disposable {
    const { workspace } = this.vs;
    const subscriptions = [
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration(SETTINGS_SECTION)) {
          listener();
        }
      }),
      workspace.onDidChangeWorkspaceFolders(listener),
      workspace.onDidGrantWorkspaceTrust(listener),
    ];
    return { dispose: () => subscriptions.forEach((subscription) => void subscription.dispose()) };
  }

  private get workspaceFolder(): vscode.WorkspaceFolder | undefined {
    return this.vs.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === 'file');
  }
}
