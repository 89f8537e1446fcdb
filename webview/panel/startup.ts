import type { RunView } from '../../src/protocol/runView';
import { startKind } from '../../src/protocol/runView';
import type { Typical } from './typicalPhases';
import { typicalOf } from './typicalPhases';
import { el, setText, setVariable } from '../shared/dom';
import { formatDuration } from '../shared/format';
import { icon } from '../shared/icons';
import type { PanelModel } from './model';
import { section } from './section';
import type { Waterfall, WaterfallRow } from './waterfall';
import { barPlace, formatTimes, layoutStart, timesFaster } from './waterfall';

interface Start {
  title: string;
  kind: 'warm' | 'cold';
  fall: Waterfall;
}

/** The phases of this start beside those of the last cold one, on one scale of time. */
export class Startup {
  readonly element: HTMLElement;
  private readonly claim = el('p', { class: 'claim' });
  private readonly starts = el('div', { class: 'starts' });
  private shown = '';
  /** Which lists of phases the user has opened or closed, by the start's kind. */
  private readonly folded = new Map<string, boolean>();

  constructor() {
    const { element, body } = section('startup', 'Start-up');
    this.element = element;
    body.append(this.claim, this.starts);
  }

  render(model: PanelModel): void {
    const starts = startsOf(model);
    const { target } = model.container;
    this.element.hidden = starts.length === 0;
    const times = model.run === null ? null : timesFaster(model.run, model.coldStart);
    const key = JSON.stringify([starts, times, target]);
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    this.claim.hidden = times === null;
    if (times !== null) {
      this.claim.replaceChildren(
        icon('flame'),
        el('strong', { text: `${formatTimes(times)} faster` }),
        ' to the first step than the last cold start',
      );
    }
    const scaleMs = Math.max(...starts.map((start) => start.fall.totalMs));
    this.starts.replaceChildren(...starts.map((start, index) => this.start(start, scaleMs, index, target)));
  }

  private start(start: Start, scaleMs: number, index: number, target: string): HTMLElement {
    const { fall } = start;
    const total = el('span', { class: 'total' });
    setText(total, fall.complete ? formatDuration(fall.totalMs) : `${formatDuration(fall.totalMs)} …`);
    const track = el('div', { class: 'track whole', attributes: { 'aria-hidden': 'true' } });
    for (const row of fall.rows.filter(({ depth }) => depth === 0)) {
      track.append(bar(row, scaleMs, phaseTitle(row, target), row.scope));
    }
    const head = el('div', { class: 'start-head' }, el('h3', { text: start.title }), total);
    const phases = el('details', { class: 'phases' }, el('summary', { text: phasesText(fall) }));
    phases.open = this.folded.get(start.title) ?? index === 0;
    phases.addEventListener('toggle', () => this.folded.set(start.title, phases.open));
    phases.append(phaseTable(start, scaleMs, target));
    return el('div', { class: `start ${start.kind}` }, head, track, phases);
  }
}

function startsOf({ run, coldStart, container }: PanelModel): Start[] {
  const starts: Start[] = [];
  const phases = run === null || run.phases.length === 0 ? container.enterPhases : run.phases;
  if (run !== null && (run.phases.length > 0 || run.timeToFirstStepMs !== null)) {
    starts.push({
      title: thisTitle(run),
      kind: run.start,
      fall: layoutStart(run.phases, run.timeToFirstStepMs),
    });
  } else if (container.state === 'warming' && phases.length > 0) {
    starts.push({ title: 'Container is warming', kind: 'cold', fall: layoutStart(phases, null) });
  }
  if (run !== null && coldStart !== null && coldStart.runId !== run.runId) {
    starts.push({
      title: 'Last cold start',
      kind: 'cold',
      fall: layoutStart(coldStart.phases, coldStart.timeToFirstStepMs),
    });
  }
  return starts;
}

function thisTitle(run: RunView): string {
  return `This run, ${startKind(run)}`;
}

function phasesText({ rows }: Waterfall): string {
  return `${rows.length} ${rows.length === 1 ? 'phase' : 'phases'}`;
}

function phaseTable({ title, fall }: Start, scaleMs: number, target: string): HTMLElement {
  const body = el('tbody');
  for (const row of fall.rows) {
    const name = el('th', { text: row.name, title: row.name, attributes: { scope: 'row' } });
    setVariable(name, '--depth', String(row.depth));
    const typical = row.scope === 'enter' && row.depth === 0 ? typicalOf(row.name, target) : undefined;
    const band = typical === undefined ? null : bandOf(row.startMs, typical, scaleMs);
    const track = el('div', { class: 'track' }, band, bar(row, scaleMs, phaseTitle(row, target), row.scope));
    body.append(
      el(
        'tr',
        { class: row.depth > 0 ? 'part' : '' },
        name,
        el('td', { class: 'place', attributes: { 'aria-hidden': 'true' } }, track),
        el('td', {
          class: 'duration',
          text: formatDuration(row.durationMs),
          ...(typical === undefined ? {} : { title: typical.text }),
        }),
      ),
    );
  }
  return el('table', { class: 'waterfall', attributes: { 'aria-label': `Phases: ${title}` } }, body);
}

const SCOPES: Record<WaterfallRow['scope'], string> = {
  enter: ', done once for the container',
  run: ', done for this run',
  rest: '',
};

function phaseTitle(row: WaterfallRow, target: string): string {
  const typical = row.scope === 'enter' ? typicalOf(row.name, target) : undefined;
  const usual = typical === undefined ? '' : ` (${typical.text})`;
  return `${row.name}: ${formatDuration(row.durationMs)}${usual}${SCOPES[row.scope]}`;
}

/** Where the phase would usually end, if that is on the scale: from the least to the most. */
function bandOf(startMs: number, { fromMs, toMs }: Typical, scaleMs: number): HTMLElement | null {
  const [start, length] = barPlace({ startMs: startMs + fromMs, durationMs: toMs - fromMs }, scaleMs);
  if (start >= 1) {
    return null;
  }
  const element = el('div', { class: 'typical' });
  setVariable(element, '--start', String(start));
  setVariable(element, '--length', String(length));
  return element;
}

function bar(
  row: { startMs: number; durationMs: number },
  scaleMs: number,
  title: string,
  scope: string,
): HTMLElement {
  const element = el('div', { class: 'phase-bar', title });
  const [start, length] = barPlace(row, scaleMs);
  setVariable(element, '--start', String(start));
  setVariable(element, '--length', String(length));
  element.dataset.scope = scope;
  return element;
}
