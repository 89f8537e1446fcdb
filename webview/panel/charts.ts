import type { RunView } from '../../src/protocol/runView';
import { bestEpoch, countsSteps } from '../../src/protocol/runView';
import type { ButtonControl } from '../shared/components';
import { button } from '../shared/components';
import { el } from '../shared/dom';
import { formatLoss, formatRate } from '../shared/format';
import { onThemeChange, readChartTheme } from '../shared/theme';
import { Chart } from './chart';
import {
  accuracyRange,
  axisEnd,
  chartData,
  describeCurves,
  formatAccuracy,
  lossRange,
  metricText,
  metricTitle,
  scoresTable,
} from './chartData';
import { section } from './section';

const DASH = [6, 4];

/** Loss, accuracy and learning rate as curves, and as a table of epochs that says the same. */
export class Charts {
  readonly element: HTMLElement;
  private readonly loss = new Chart({
    title: 'Loss',
    heightPx: 220,
    range: lossRange,
    formatAxis: (value) => String(Number(value.toPrecision(4))),
    curves: [
      { label: 'step', color: (theme) => theme.series.step, format: formatLoss, width: 1, points: false },
      {
        label: 'train',
        color: (theme) => theme.series.train,
        format: formatLoss,
        width: 2,
        dash: DASH,
        points: true,
      },
      { label: 'val', color: (theme) => theme.series.val, format: formatLoss, width: 2, points: true },
    ],
  });
  private readonly accuracy = new Chart({
    title: 'Accuracy',
    heightPx: 220,
    range: accuracyRange,
    formatAxis: (value) => `${Number((value > 1.5 ? value : value * 100).toPrecision(4))}%`,
    curves: [
      {
        label: 'train',
        color: (theme) => theme.series.train,
        format: formatAccuracy,
        width: 2,
        dash: DASH,
        points: true,
      },
      { label: 'val', color: (theme) => theme.series.val, format: formatAccuracy, width: 2, points: true },
    ],
  });
  private readonly rate = new Chart({
    title: 'Learning rate',
    heightPx: 104,
    range: (_, high) => [0, high === null ? 1 : high * 1.15],
    formatAxis: formatRate,
    curves: [
      { label: 'rate', color: (theme) => theme.series.rate, format: formatRate, width: 1.5, points: true },
    ],
  });
  /** Of metrics that only some recipes have, by name. */
  private readonly others = new Map<string, Chart>();
  private readonly rows = el('tbody');
  private readonly table: HTMLElement;
  private readonly toggle: ButtonControl;
  private readonly charts: HTMLElement;
  private readonly columns = el('tr');
  private shownRows = '';
  private asTable = false;

  constructor() {
    const { element, body, tools } = section('curves', 'Curves');
    this.element = element;
    this.charts = el('div', { class: 'charts' }, this.loss.element, this.accuracy.element, this.rate.element);
    this.table = el(
      'div',
      { class: 'table-scroll visually-hidden' },
      el(
        'table',
        { class: 'epochs', attributes: { 'aria-label': 'Course of this run' } },
        el('thead', {}, this.columns),
        this.rows,
      ),
    );
    this.toggle = button({
      label: 'Show as table',
      icon: 'table',
      appearance: 'icon',
      onClick: () => this.setAsTable(!this.asTable),
    });
    this.toggle.setPressed(false);
    tools.append(this.toggle.element);
    body.append(this.charts, this.table);
    this.setTheme();
    onThemeChange(() => this.setTheme());
  }

  render(run: RunView): void {
    const data = chartData(run);
    const end = axisEnd(run);
    const best = bestEpoch(run);
    this.loss.setData(data.x, [data.stepLoss, data.trainLoss, data.valLoss], end, null);
    this.accuracy.setData(
      data.x,
      [data.trainAcc, data.valAcc],
      end,
      best === undefined || best.epoch === 0
        ? null
        : {
            x: best.epoch,
            y: best.val_acc,
            curve: 1,
            text: `best ${formatAccuracy(best.val_acc)}${best.epoch === 0 ? '' : ` · epoch ${best.epoch}`}`,
          },
    );
    // A run of the user's own code has what it tells of, one that counts steps may have no accuracy.
    const isUsers = run.entrypoint !== null;
    const isEmpty = (...columns: (number | null)[][]): boolean =>
      columns.every((column) => column.every((value) => value === null));
    this.accuracy.element.hidden = (isUsers || countsSteps(run)) && isEmpty(data.trainAcc, data.valAcc);
    this.loss.element.hidden = isUsers && isEmpty(data.stepLoss, data.trainLoss, data.valLoss);
    this.rate.element.hidden = isUsers && isEmpty(data.lr);
    this.rate.setData(data.x, [data.lr], end, null);
    for (const name of data.others.keys()) {
      this.chartOf(name);
    }
    for (const [name, chart] of this.others) {
      const column = data.others.get(name);
      chart.element.hidden = column === undefined;
      chart.setData(data.x, [column ?? data.x.map(() => null)], end, null);
    }
    const rows = `${run.runId} ${run.epochs.length} ${run.metrics.length} ${run.lastSeq === 0 ? 0 : (run.metrics.at(-1)?.seq ?? 0)}`;
    if (rows !== this.shownRows) {
      this.shownRows = rows;
      this.renderRows(run, best?.epoch);
      const description = describeCurves(run);
      for (const chart of this.all) {
        chart.describe(description);
      }
    }
  }

  private get all(): Chart[] {
    return [this.loss, this.accuracy, this.rate, ...this.others.values()];
  }

  private chartOf(name: string): Chart {
    const made = this.others.get(name);
    if (made !== undefined) {
      return made;
    }
    const format = (value: number) => metricText(name, value);
    const chart = new Chart({
      title: metricTitle(name),
      heightPx: 104,
      range: lossRange,
      formatAxis: (value) => String(Number(value.toPrecision(3))),
      curves: [{ label: 'value', color: (theme) => theme.series.train, format, width: 1.5, points: true }],
    });
    chart.setTheme(readChartTheme());
    this.others.set(name, chart);
    this.charts.append(chart.element);
    return chart;
  }

  private renderRows(run: RunView, best: number | undefined): void {
    const { columns, rows } = scoresTable(run);
    this.columns.replaceChildren(...columns.map((text) => el('th', { text, attributes: { scope: 'col' } })));
    this.rows.replaceChildren(
      ...rows.toReversed().map(({ place, x, cells }) => {
        const isBest = !countsSteps(run) && x === best;
        return el(
          'tr',
          isBest ? { class: 'best', title: 'Best validation accuracy' } : {},
          el('th', { text: isBest ? `${place} best` : place, attributes: { scope: 'row' } }),
          ...cells.map((text) => el('td', { text })),
        );
      }),
    );
  }

  private setAsTable(asTable: boolean): void {
    this.asTable = asTable;
    this.toggle.setPressed(asTable);
    this.toggle.setLabel(asTable ? 'Show as curves' : 'Show as table');
    this.charts.hidden = asTable;
    this.table.classList.toggle('visually-hidden', !asTable);
  }

  private setTheme(): void {
    const theme = readChartTheme();
    for (const chart of this.all) {
      chart.setTheme(theme);
    }
  }
}
