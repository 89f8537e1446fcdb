import type * as vscode from 'vscode';
import type { ContainerModel } from '../container/containerModel';
import type { LiveRun } from '../container/liveRun';
import { COMMANDS } from '../contributions';
import { isSweepFinal, tallyOf } from '../../protocol/sweep';
import type { SweepModel } from '../sweeps/sweepModel';
import type { Environment } from '../environment';
import type { Disposable } from '../disposables';
import { statusText } from './statusText';

const COUNTDOWN_MS = 5000;

export interface StatusItemDeps {
  vs: Pick<typeof vscode, 'MarkdownString' | 'StatusBarAlignment' | 'ThemeColor' | 'window'>;
  container: ContainerModel;
  live: LiveRun;
  environment: Environment;
  sweeps: Pick<SweepModel, 'on' | 'off' | 'sweeps'>;
  now: () => number;
}

/** The one item in the status bar. */
export class StatusItem {
  private readonly item: vscode.StatusBarItem;
  private readonly environmentListener: Disposable;
  private countdown: NodeJS.Timeout | undefined;

  constructor(private readonly deps: StatusItemDeps) {
    this.item = deps.vs.window.createStatusBarItem('tinyCats.container', deps.vs.StatusBarAlignment.Left, 10);
    this.item.name = 'Tiny Cats Container';
    this.item.command = COMMANDS.showActions.id;
    deps.container.on('change', this.update);
    deps.live.on('change', this.update);
    deps.sweeps.on('change', this.update);
    this.environmentListener = deps.environment.onChange(this.update);
    this.update();
  }

  /** The text as the status bar shows it. */
  get text(): string {
    return this.item.text;
  }

  dispose(): void {
    clearTimeout(this.countdown);
    this.environmentListener.dispose();
    this.deps.container.off('change', this.update);
    this.deps.live.off('change', this.update);
    this.deps.sweeps.off('change', this.update);
    this.item.dispose();
  }

  private readonly update = (): void => {
    const { vs, container, live, environment, sweeps, now } = this.deps;
    clearTimeout(this.countdown);
    if (environment.folder === undefined) {
      this.item.hide();
      return;
    }
    const { view } = container;
    const going = sweeps.sweeps.find((sweep) => !isSweepFinal(sweep));
    const { text, tooltip, accessibilityLabel, warning } = statusText(
      view,
      live.progress,
      now(),
      going === undefined ? undefined : tallyOf(going),
    );
    const markdown = new vs.MarkdownString(tooltip);
    this.item.text = text;
    this.item.tooltip = markdown;
    this.item.accessibilityInformation = { label: accessibilityLabel, role: 'button' };
    this.item.backgroundColor = warning ? new vs.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.item.show();
    if (view.idleRemainingMs !== null) {
      this.countdown = setTimeout(this.update, COUNTDOWN_MS);
    }
  };
}
