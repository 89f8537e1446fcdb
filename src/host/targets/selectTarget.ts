import type * as vscode from 'vscode';
import type { RemoteTargetConfig, TargetConfig } from '../../targets/config';
import { LOCAL_TARGET } from '../../targets/config';
import { openTarget } from '../../targets/openTarget';
import type { Target } from '../../targets/target';
import { lookAtTarget } from '../../targets/targetState';
import type { HostTargetDeps } from '../container/openTarget';
import { SETTINGS_SECTION } from '../contributions';
import type { Environment } from '../environment';
import type { HostSettings } from '../settings';
import type { RemoteKind } from './addTarget';
import { askTarget } from './addTarget';
import { checkTarget } from './checkTarget';
import { targetItem } from './targetList';
import { NOBODY } from './userQuestions';

export interface SelectTargetDeps {
  vs: Pick<
    typeof vscode,
    | 'ConfigurationTarget'
    | 'ProgressLocation'
    | 'QuickPickItemKind'
    | 'ThemeIcon'
    | 'env'
    | 'window'
    | 'workspace'
  >;
  environment: Environment;
  targetDeps: HostTargetDeps;
}

interface TargetItem extends vscode.QuickPickItem {
  config?: TargetConfig;
  add?: RemoteKind;
}

/** Lists the targets at once, their states as they become known; chooses one, checks one, or adds one. */
export async function selectTarget(deps: SelectTargetDeps): Promise<void> {
  const { vs, environment } = deps;
  if (!environment.mayTrain) {
    throw new Error(environment.obstacle);
  }
  const settings = environment.requireSettings();
  const chosen = await pickTarget(deps, settings);
  if (chosen?.check !== undefined) {
    await withTarget(deps.targetDeps, settings, chosen.check, (target) => checkTarget({ vs }, target));
  } else if (chosen?.add !== undefined) {
    const added = await askTarget(vs.window, chosen.add, settings.targets);
    if (added !== undefined) {
      await update(deps, 'targets', [...settings.targets, added]);
      await update(deps, 'target', added.name);
      await withTarget(deps.targetDeps, settings, added, (target) => checkTarget({ vs }, target));
    }
  } else if (chosen?.config !== undefined && chosen.config.name !== settings.target.name) {
    await update(deps, 'target', chosen.config.name);
  }
}

interface Choice {
  config?: TargetConfig;
  check?: TargetConfig;
  add?: RemoteKind;
}

async function pickTarget(deps: SelectTargetDeps, settings: HostSettings): Promise<Choice | undefined> {
  const { vs } = deps;
  const check = { iconPath: new vs.ThemeIcon('beaker'), tooltip: 'Check what is missing' };
  const pick = vs.window.createQuickPick<TargetItem>();
  const items = [LOCAL_TARGET, ...settings.targets].map((config): TargetItem => ({
    ...targetItem(config, undefined, config.name === settings.target.name),
    config,
    buttons: [check],
  }));
  const adding: TargetItem[] = [
    { label: 'Add', kind: vs.QuickPickItemKind.Separator },
    { label: '$(add) SSH host…', description: 'from ~/.ssh/config, or another', add: 'ssh' },
    { label: '$(add) Docker or Podman…', description: 'contexts and sockets of this machine', add: 'docker' },
    { label: '$(add) Modal…', description: 'with Modal’s own credentials', add: 'modal' },
  ];
  const show = (): void => {
    const active = pick.activeItems[0];
    pick.items = [...items, ...adding];
    const again = pick.items.find(
      (item) => active !== undefined && item.config === active.config && item.add === active.add,
    );
    if (again !== undefined) {
      pick.activeItems = [again];
    }
  };
  pick.title = 'Tiny Cats: where the container lives';
  pick.placeholder = 'Choose a target';
  pick.keepScrollPosition = true;
  show();
  pick.show();
  let open = true;
  for (const [index, config] of [LOCAL_TARGET, ...settings.targets].entries()) {
    // Looking asks nobody.
    void withTarget({ ...deps.targetDeps, ask: NOBODY }, settings, config, async (target) => {
      const look = await lookAtTarget(target);
      const item = items[index];
      if (open && item !== undefined) {
        items[index] = { ...item, ...targetItem(config, look, config.name === settings.target.name) };
        show();
      }
    });
  }
  return new Promise((resolve) => {
    const answer = (choice: Choice | undefined): void => {
      open = false;
      resolve(choice);
      pick.hide();
    };
    pick.onDidAccept(() => answer(pick.selectedItems[0]));
    pick.onDidTriggerItemButton(({ item }) =>
      answer(item.config === undefined ? undefined : { check: item.config }),
    );
    pick.onDidHide(() => {
      answer(undefined);
      pick.dispose();
    });
  });
}

async function withTarget(
  targetDeps: HostTargetDeps,
  settings: HostSettings,
  config: TargetConfig,
  use: (target: Target) => Promise<void>,
): Promise<void> {
  const { target } = openTarget(config, { ...targetDeps, ...settings });
  try {
    await use(target);
  } finally {
    await target.dispose().catch(() => undefined);
  }
}

async function update(
  { vs, environment }: SelectTargetDeps,
  name: 'target' | 'targets',
  value: string | RemoteTargetConfig[],
): Promise<void> {
  const folder = environment.folder === undefined ? undefined : vs.workspace.workspaceFolders?.[0]?.uri;
  await vs.workspace
    .getConfiguration(SETTINGS_SECTION, folder)
    .update(name, value, vs.ConfigurationTarget.Workspace);
}
