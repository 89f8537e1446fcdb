import type { RecipeSpec } from '../../src/protocol/parameters';
import type { RunView } from '../../src/protocol/runView';
import { el, setText, setVariable, textButton } from '../shared/dom';
import { counted, formatBytes, formatCount, formatPercent } from '../shared/format';
import { parameterRows } from './formModel';
import type { PanelModel, Send } from './model';
import { recipeOf } from './model';
import { foldedSection, section } from './section';

/** Names of skipped images that are listed; the log has them all. */
const LISTED_SKIPS = 50;

/** Classes and counts of the data set that the run was trained on. */
export class DatasetCard {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly note: HTMLElement;
  private shown: RunView['dataset'] = null;

  constructor() {
    const { element, body, note } = section('dataset', 'Data set');
    this.element = element;
    this.body = body;
    this.note = note;
  }

  render({ run }: PanelModel): void {
    const dataset = run?.dataset ?? null;
    this.element.hidden = dataset === null;
    if (dataset === null || dataset === this.shown) {
      return;
    }
    this.shown = dataset;
    setText(
      this.note,
      dataset.val === 0
        ? counted(dataset.train, 'image')
        : `${formatCount(dataset.train)} train · ${formatCount(dataset.val)} val`,
    );
    const most = Math.max(1, ...dataset.classes.map(({ images }) => images));
    const rows = dataset.classes.map(({ name, images }) => {
      const share = el('div', { class: 'share', attributes: { 'aria-hidden': 'true' } });
      setVariable(share, '--share', String(images / most));
      return el(
        'tr',
        {},
        el('th', { text: name, title: name, attributes: { scope: 'row' } }),
        el('td', { class: 'place' }, share),
        el('td', { class: 'number', text: formatCount(images) }),
      );
    });
    this.body.replaceChildren(
      el('p', { class: 'path', text: dataset.dir, title: dataset.dir }),
      el(
        'table',
        { class: 'classes', attributes: { 'aria-label': 'Images of each class' } },
        el('tbody', {}, ...rows),
      ),
    );
    if (dataset.skipped.length > 0) {
      this.body.append(skippedList(dataset.skipped, dataset.more_skipped ?? 0));
    }
  }
}

/** @param more how many there are besides */
function skippedList(skipped: readonly { path: string; reason: string }[], more: number): HTMLElement {
  const total = skipped.length + more;
  const items = skipped
    .slice(0, LISTED_SKIPS)
    .map(({ path, reason }) =>
      el('li', {}, el('span', { class: 'code', text: path }), el('span', { class: 'quiet', text: reason })),
    );
  if (total > LISTED_SKIPS) {
    items.push(el('li', { class: 'quiet', text: `and ${formatCount(total - LISTED_SKIPS)} more` }));
  }
  return el(
    'details',
    { class: 'skipped' },
    el('summary', { text: `${counted(total, 'image')} skipped` }),
    el('ul', {}, ...items),
  );
}

/** The checkpoints that the run has saved; a click opens one. */
export class CheckpointsCard {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private shown: RunView['checkpoints'] | null = null;

  constructor(private readonly send: Send) {
    const { element, body } = section('checkpoints', 'Checkpoints');
    this.element = element;
    this.body = body;
  }

  render({ run }: PanelModel): void {
    const checkpoints = run?.checkpoints ?? [];
    this.element.hidden = checkpoints.length === 0;
    if (checkpoints === this.shown) {
      return;
    }
    this.shown = checkpoints;
    const rows = checkpoints
      .toSorted((a, b) => a.kind.localeCompare(b.kind))
      .map(({ kind, file, bytes, epoch, step, val_acc }) =>
        el(
          'tr',
          {},
          el(
            'th',
            { attributes: { scope: 'row' } },
            textButton(file, () => this.send({ type: 'inspect', file }), `Inspect the ${kind} checkpoint`),
          ),
          el('td', { text: placeText(epoch, step) }),
          el('td', { class: 'number', text: val_acc === null ? '' : formatPercent(val_acc) }),
          el('td', { class: 'number quiet', text: formatBytes(bytes) }),
        ),
      );
    this.body.replaceChildren(
      el(
        'table',
        { class: 'files', attributes: { 'aria-label': 'Checkpoints: file, epoch, accuracy, size' } },
        el('tbody', {}, ...rows),
      ),
    );
  }
}

/** When a checkpoint was saved, as far as that is known. */
function placeText(epoch: number, step: number | undefined): string {
  if (step !== undefined) {
    return `step ${formatCount(step)}`;
  }
  return epoch === 0 ? '' : `epoch ${epoch}`;
}

/** The parameters that the run was started with. */
export class RunParametersCard {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly note: HTMLElement;
  private shown = '';

  constructor() {
    const { element, body, note } = foldedSection('run-parameters', 'This run’s parameters', false);
    this.element = element;
    this.body = body;
    this.note = note;
  }

  render(model: PanelModel): void {
    const { run } = model;
    const recipe = recipeOf(model);
    this.element.hidden = run === null || Object.keys(run.params).length === 0;
    if (run === null || run.runId === this.shown || run.lastSeq === 0) {
      return;
    }
    this.shown = run.runId;
    if (recipe !== undefined) {
      this.renderRows(recipe, run);
    }
  }

  private renderRows(recipe: RecipeSpec, run: RunView): void {
    const rows = parameterRows(recipe, run.params);
    const changed = rows.filter((row) => row.changed).length;
    const given = rows.filter((row) => row.given).length;
    const notes = [given === 0 ? '' : `${given} given`, changed === 0 ? '' : `${changed} changed`];
    setText(this.note, notes.filter((note) => note !== '').join(', ') || 'all defaults');
    this.body.replaceChildren(
      el(
        'dl',
        { class: 'pairs' },
        ...rows.flatMap(({ name, text, changed: differs }) => [
          el('dt', { text: name }),
          el('dd', {
            text,
            ...(differs ? { class: 'changed', title: 'Differs from the default' } : { title: text }),
          }),
        ]),
      ),
    );
  }
}
