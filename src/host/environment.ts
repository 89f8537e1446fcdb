import type * as vscode from 'vscode';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import { historyDir, historyDirs } from '../targets/historyDir';
import { OutputsVolume } from '../volume/outputsVolume';
import { SETTINGS, SETTINGS_SECTION } from './contributions';
import type { Disposable } from './disposables';
import type { HostSettings, SettingsSource } from './settings';
import { readSettings, readUsableSettings } from './settings';

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
   * What is to be trained with.
   * @throws Error in words for the user, without a folder or with a setting that cannot be used
   */
  requireSettings(): HostSettings {
    const { source } = this;
    if (source === undefined) {
      throw new Error(this.obstacle);
    }
    return readSettings(source);
  }

  /** The same to look with: a setting that cannot be used counts as its default. Undefined without a folder. */
  get usableSettings(): HostSettings | undefined {
    const { source } = this;
    return source === undefined ? undefined : readUsableSettings(source);
  }

  /** The outputs volume, or the mirror of the target's where that is elsewhere; undefined without a folder. */
  get volume(): OutputsVolume | undefined {
    const settings = this.usableSettings;
    return settings === undefined
      ? undefined
      : new OutputsVolume(historyDir(settings.target, settings.outputsDir));
  }

  /** The outputs volume of every target, as it is read here. */
  async volumes(): Promise<{ target: string; volume: OutputsVolume }[]> {
    const settings = this.usableSettings;
    const dirs = settings === undefined ? [] : await historyDirs(settings.outputsDir);
    return dirs.map(({ target, dir }) => ({ target, volume: new OutputsVolume(dir) }));
  }

  /** The setting of that name; what is wrong with it the next training says. */
  get defaultParameters(): ParameterValues {
    return this.usableSettings?.defaultParameters ?? {};
  }

  get targetName(): string {
    return this.usableSettings?.target.name ?? SETTINGS.target.default;
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

  private get source(): SettingsSource | undefined {
    const folder = this.workspaceFolder;
    if (folder === undefined) {
      return undefined;
    }
    const configuration = this.vs.workspace.getConfiguration(SETTINGS_SECTION, folder.uri);
    return {
      get: (name) => configuration.get<unknown>(name),
      folder: folder.uri.fsPath,
      recipe: this.recipe,
    };
  }

  private get workspaceFolder(): vscode.WorkspaceFolder | undefined {
    return this.vs.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === 'file');
  }
}
