import type { ContainerView } from '../../src/protocol/panel';
import { isFinal } from '../../src/protocol/run';
import { progress } from '../../src/protocol/runView';
import type { RunView } from '../../src/protocol/runView';
import type { ButtonControl } from '../shared/components';
import { button } from '../shared/components';
import { el, setText, setVariable } from '../shared/dom';
import { formatBytes } from '../shared/format';
import { icon } from '../shared/icons';
import type { Tone } from './headline';
import {
  MAY_NOT_TRAIN,
  actions,
  containerBadge,
  progressTexts,
  queueText,
  shortId,
  startText,
  stateBadge,
  timeText,
  usageText,
} from './headline';
import type { PanelModel, Send } from './model';
import { recipeOf } from './model';

/** Title, state, buttons and progress; stays in view while the page scrolls. */
export class Header {
  readonly element: HTMLElement;
  private readonly title = el('h1');
  private readonly runId = el('span', { class: 'run-id' });
  private readonly state = el('span', { class: 'badge' });
  private readonly bar = el('div', {
    class: 'progress-bar',
    attributes: {
      role: 'progressbar',
      'aria-label': 'Training',
      'aria-valuemin': '0',
      'aria-valuemax': '100',
    },
  });
  private readonly texts = el('div', { class: 'progress-texts' });
  private readonly time = el('div', { class: 'progress-time' });
  private readonly progressLine = el('div', { class: 'progress-line' }, this.texts, this.time);
  private readonly train: ButtonControl;
  private readonly rerun: ButtonControl;
  private readonly stop: ButtonControl;
  private stopAskedFor: string | null = null;
  private model: PanelModel | null = null;

  private readonly sweep: ButtonControl;

  constructor(send: Send, train: () => void, sweep: () => void) {
    this.train = button({
      label: 'Train',
      icon: 'play',
      appearance: 'primary',
      onClick: train,
    });
    this.sweep = button({
      label: 'Sweep…',
      icon: 'table',
      appearance: 'secondary',
      title: 'Train every combination of lists of parameters',
      onClick: sweep,
    });
    this.rerun = button({
      label: 'Rerun',
      icon: 'rerun',
      appearance: 'secondary',
      onClick: () => send({ type: 'rerun' }),
    });
    this.stop = button({
      label: 'Stop',
      icon: 'stop',
      appearance: 'secondary',
      onClick: () => {
        const runId = this.model?.run?.runId ?? null;
        send({ type: 'stop', kill: this.stopAskedFor === runId || this.model?.run?.state === 'stopping' });
        this.stopAskedFor = runId;
        if (this.model !== null) {
          this.render(this.model);
        }
      },
    });
    const buttons = el(
      'div',
      { class: 'buttons', attributes: { role: 'group', 'aria-label': 'Run' } },
      this.stop.element,
      this.rerun.element,
      this.sweep.element,
      this.train.element,
    );
    const titleLine = el(
      'div',
      { class: 'title-line' },
      el('div', { class: 'title' }, this.title, this.runId, this.state),
      buttons,
    );
    this.element = el('header', { class: 'top' }, titleLine, this.progressLine, this.bar);
  }

  render(model: PanelModel): void {
    this.model = model;
    const { run } = model;
    setText(this.title, recipeOf(model)?.title ?? model.run?.recipe ?? '');
    setText(this.runId, run === null ? '' : shortId(run.runId));
    this.runId.title = run?.runId ?? '';
    this.state.hidden = run === null;
    if (run !== null) {
      const { label, tone } = stateBadge(run.state, run.runId === model.container.stalledRun);
      paintBadge(this.state, label, tone);
    }
    this.renderButtons(model);
    this.progressLine.hidden = run === null;
    this.bar.hidden = run === null || isFinal(run.state);
    if (run !== null) {
      this.renderProgress(run);
    }
  }

  /** Brings the times up to date; called once a second while a run goes on. */
  renderTime(run: RunView): void {
    const isStalled = run.runId === this.model?.container.stalledRun;
    setText(this.time, timeText(run, isStalled, Date.now()));
  }

  private renderButtons(model: PanelModel): void {
    const asked = model.run !== null && model.run.runId === this.stopAskedFor;
    const can = actions(model.run, model.container, model.mayTrain, asked);
    this.train.element.hidden = model.run === null || can.stop !== 'hidden';
    this.rerun.element.hidden = model.run === null || can.stop !== 'hidden';
    this.sweep.element.hidden = model.run === null || can.stop !== 'hidden' || !model.mayTrain;
    this.stop.element.hidden = can.stop === 'hidden';
    this.train.setDisabled(!can.train);
    this.train.setTitle(model.mayTrain ? 'Train with the parameters below' : MAY_NOT_TRAIN);
    this.rerun.setDisabled(!can.rerun);
    this.rerun.setTitle(model.mayTrain ? 'The same parameters again' : MAY_NOT_TRAIN);
    this.rerun.setLabel(model.container.state === 'warm' ? 'Rerun on Warm Container' : 'Rerun');
    this.stop.setLabel(can.stop === 'kill' ? 'Kill' : 'Stop');
    this.stop.setTitle(
      can.stop === 'kill'
        ? 'End the run at once, without waiting for the running step'
        : 'Finish the running step, save a checkpoint and end the run',
    );
  }

  private renderProgress(run: RunView): void {
    const texts = progressTexts(run);
    if (this.texts.childElementCount !== texts.length) {
      this.texts.replaceChildren(...texts.map(() => el('span')));
    }
    texts.forEach((text, index) => {
      const node = this.texts.children[index];
      if (node !== undefined) {
        setText(node, text);
      }
    });
    const done = progress(run);
    this.bar.classList.toggle('endless', run.step === null);
    setVariable(this.bar, '--done', String(done));
    if (run.step === null) {
      this.bar.removeAttribute('aria-valuenow');
    } else {
      this.bar.setAttribute('aria-valuenow', String(Math.round(done * 100)));
    }
    this.bar.setAttribute('aria-valuetext', texts.join(', '));
    this.renderTime(run);
  }
}

/** How the run started, the container's state, engine and device. */
export class Facts {
  readonly element = el('div', { class: 'facts' });
  private readonly start = el('span', { class: 'chip start' });
  private readonly startText = el('span');
  private readonly container = el('span', { class: 'chip container' });
  private readonly device = el('span', { class: 'chip plain' });
  private readonly queue = el('span', { class: 'chip plain' });
  private readonly cost = el('span', { class: 'chip plain' });
  private startKind = '';

  constructor() {
    this.element.append(this.start, this.container, this.queue, this.device, this.cost);
  }

  render({ run, container }: PanelModel): void {
    this.start.hidden = run === null || run.lastSeq === 0;
    if (run !== null) {
      if (run.start !== this.startKind) {
        this.startKind = run.start;
        this.start.replaceChildren(icon(run.start === 'warm' ? 'flame' : 'snow'), this.startText);
        this.start.classList.toggle('warm', run.start === 'warm');
      }
      setText(this.startText, startText(run));
    }
    const { label, tone } = containerBadge(container);
    paintBadge(this.container, label, tone);
    const waiting = queueText(container);
    this.queue.hidden = waiting === '';
    setText(this.queue, waiting);
    this.queue.title = 'Runs that begin when this one has ended; the history lists them';
    const engine = run?.engine === undefined || run.engine === '' ? container.engine : run.engine;
    const device = run?.device === undefined || run.device === '' ? container.device : run.device;
    const text = [engine, device].filter((part) => part !== '').join(' · ');
    this.device.hidden = text === '';
    setText(this.device, text);
    this.device.title = deviceTitle(container.deviceFacts);
    const spent = usageText(container);
    this.cost.hidden = spent === '';
    setText(this.cost, spent);
    this.cost.title = 'How long the container has been up and has trained, and what it costs';
  }
}

function paintBadge(element: HTMLElement, label: string, tone: Tone): void {
  setText(element, label);
  element.dataset.tone = tone;
}

/** What is known of the device, a line each. */
function deviceTitle(facts: ContainerView['deviceFacts']): string {
  if (facts === null) {
    return 'Engine and device';
  }
  const { name, memoryBytes, driver, torch, cuda, python } = facts;
  const versions = Object.entries({ Driver: driver, CUDA: cuda, PyTorch: torch, Python: python });
  return [
    memoryBytes === undefined ? name : `${name}, ${formatBytes(memoryBytes)}`,
    ...versions.flatMap(([what, version]) => (version === undefined ? [] : [`${what} ${version}`])),
  ].join('\n');
}
