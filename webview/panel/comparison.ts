import type { SweepRecord, Trial } from '../../src/protocol/sweep';
import { isSweepFinal, ranking, tallyOf, trialTitle } from '../../src/protocol/sweep';
import { el, setText, textButton } from '../shared/dom';
import { formatPercent } from '../shared/format';
import type { PanelModel, Send } from './model';
import { section } from './section';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 640;
const HEIGHT = 180;
/** Curves with a colour of their own; of more, those that are not among the best are quiet. */
const COLOURS = 6;

/** The trainings of the sweep that the shown run is a part of, beside each other: their curves and a table. */
export class Comparison {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly note: HTMLElement;
  private readonly stop: HTMLButtonElement;
  private shown = '';
  private sweepId = '';

  constructor(private readonly send: Send) {
    const { element, body, note, tools } = section('comparison', 'Sweep');
    this.element = element;
    this.body = body;
    this.note = note;
    this.stop = textButton('Stop Sweep', () => send({ type: 'stopSweep', sweepId: this.sweepId }));
    tools.append(this.stop);
  }

  render({ sweep, run }: PanelModel): void {
    this.element.hidden = sweep === null;
    const key = JSON.stringify([sweep, run?.runId]);
    if (sweep === null || key === this.shown) {
      return;
    }
    this.shown = key;
    this.sweepId = sweep.sweepId;
    setText(this.note, noteOf(sweep));
    this.stop.hidden = isSweepFinal(sweep);
    setText(this.stop, sweep.state === 'stopping' ? 'Stop Now' : 'Stop Sweep');
    const order = ranking(sweep.trials);
    this.body.replaceChildren(
      ...(sweep.problem === undefined ? [] : [el('p', { class: 'problem quiet', text: sweep.problem })]),
      curves(sweep.trials, order),
      this.table(sweep, order, run?.runId),
    );
  }

  private table(sweep: SweepRecord, order: readonly number[], runId: string | undefined): HTMLElement {
    const names = sweep.axes.map(({ name }) => name);
    const head = ['', ...names, 'val_acc', 'epochs', 'state'].map((text) =>
      el('th', { text, attributes: { scope: 'col' } }),
    );
    const rows = order.flatMap((index, place) => {
      const trial = sweep.trials[index];
      return trial === undefined ? [] : [this.row(trial, names, place, trial.runId === runId)];
    });
    const table = el(
      'table',
      { class: 'trials', attributes: { 'aria-label': 'Trainings of the sweep, the best first' } },
      el('thead', {}, el('tr', {}, ...head)),
      el('tbody', {}, ...rows),
    );
    return el('div', { class: 'trials-scroll', attributes: { tabindex: '0' } }, table);
  }

  private row(trial: Trial, names: readonly string[], place: number, isShown: boolean): HTMLElement {
    const { runId } = trial;
    const [first = '', ...rest] = names.map((name) => String(trial.values[name] ?? ''));
    const opened =
      runId === undefined
        ? document.createTextNode(first)
        : textButton(
            first,
            () => this.send({ type: 'openRun', runId }),
            `Show the run: ${trialTitle(trial)}`,
          );
    const swatch = el('span', { class: `swatch series-${place < COLOURS ? place : 'rest'}` });
    const shownAs: Record<string, string> = isShown ? { 'aria-current': 'true' } : {};
    return el(
      'tr',
      { class: isShown ? 'shown' : '', attributes: shownAs },
      el('td', { class: 'key', attributes: { 'aria-hidden': 'true' } }, swatch),
      el('th', { attributes: { scope: 'row' } }, opened),
      ...rest.map((text) => el('td', { text })),
      el('td', { class: 'number', text: trial.best === null ? '' : formatPercent(trial.best) }),
      el('td', {
        class: 'number quiet',
        text: trial.epochs === 0 ? '' : `${trial.curve.length}/${trial.epochs}`,
      }),
      el('td', {
        class: `state ${trial.state}`,
        text: trial.state,
        ...(trial.error === undefined ? {} : { title: trial.error }),
      }),
    );
  }
}

function noteOf(sweep: SweepRecord): string {
  const { ended, failed, running, total } = tallyOf(sweep);
  const parts = [
    `${ended} of ${total} done`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(running === 0 ? [] : [`${running} training`]),
  ];
  return isSweepFinal(sweep) ? `${sweep.state} · ${parts.join(' · ')}` : parts.join(' · ');
}

/** val_acc over epochs, all on one scale; the table says the same in numbers. */
function curves(trials: readonly Trial[], order: readonly number[]): Element {
  const epochs = Math.max(2, ...trials.map(({ curve, epochs: planned }) => Math.max(planned, curve.length)));
  const all = trials.flatMap(({ curve }) => curve);
  const low = Math.min(1, ...all);
  const high = Math.max(0, ...all);
  const range = Math.max(high - low, 0.01);
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  // The best last, so that it lies on top.
  for (const [place, index] of [...order.entries()].reverse()) {
    const curve = trials[index]?.curve ?? [];
    const points = curve.map((value, epoch) => {
      const x = ((epoch + (curve.length === 1 ? 0.5 : 0)) / (epochs - 1)) * WIDTH;
      return `${x.toFixed(1)},${(6 + (1 - (value - low) / range) * (HEIGHT - 12)).toFixed(1)}`;
    });
    const line = document.createElementNS(SVG, 'polyline');
    line.setAttribute('points', points.join(' '));
    line.setAttribute('class', `series-${place < COLOURS ? place : 'rest'}`);
    svg.append(line);
  }
  const scale =
    all.length === 0
      ? 'No epoch is done yet'
      : `${formatPercent(low)} to ${formatPercent(high)}, ${epochs} epochs`;
  return el(
    'figure',
    { class: 'overlay', attributes: { 'aria-hidden': 'true' } },
    el(
      'figcaption',
      {},
      el('span', { text: 'Validation accuracy' }),
      el('span', { class: 'quiet', text: scale }),
    ),
    svg,
  );
}
