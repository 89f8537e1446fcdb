import type { RunView } from '../../src/protocol/runView';
import { bestEpoch } from '../../src/protocol/runView';
import type { ButtonControl } from '../shared/components';
import { button } from '../shared/components';
import { el } from '../shared/dom';
import { formatLoss, formatPercent, formatRate } from '../shared/format';
import { onThemeChange, readChartTheme } from '../shared/theme';
import { Chart } from './chart';
import {
  EPOCH_COLUMNS,
  accuracyRange,
  chartData,
  describeCurves,
  epochCells,
  lossRange,
  plannedEpochs,
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
    formatAxis: (value) => `${Number((value * 100).toPrecision(4))}%`,
    curves: [
      {
        label: 'train',
        color: (theme) => theme.series.train,
        format: formatPercent,
        width: 2,
        dash: DASH,
        points: true,
      },
      { label: 'val', color: (theme) => theme.series.val, format: formatPercent, width: 2, points: true },
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
  private readonly all = [this.loss, this.accuracy, this.rate];
  private readonly rows = el('tbody');
  private readonly table: HTMLElement;
  private readonly toggle: ButtonControl;
  private readonly charts: HTMLElement;
  private shownEpochs = 0;
  private shownRun = '';
  private asTable = false;

  constructor() {
    const { element, body, tools } = section('curves', 'Curves');
    this.element = element;
    this.charts = el('div', { class: 'charts' }, ...this.all.map((chart) => chart.element));
    this.table = el(
      'div',
      { class: 'table-scroll visually-hidden' },
      el(
        'table',
        { class: 'epochs', attributes: { 'aria-label': 'Epochs of this run' } },
        el(
          'thead',
          {},
          el('tr', {}, ...EPOCH_COLUMNS.map((text) => el('th', { text, attributes: { scope: 'col' } }))),
        ),
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
    const epochs = plannedEpochs(run);
    const best = bestEpoch(run);
    this.loss.setData(data.x, [data.stepLoss, data.trainLoss, data.valLoss], epochs, null);
    this.accuracy.setData(
      data.x,
      [data.trainAcc, data.valAcc],
      epochs,
      best === undefined
        ? null
        : {
            x: best.epoch,
            y: best.val_acc,
            curve: 1,
            text: `best ${formatPercent(best.val_acc)} · epoch ${best.epoch}`,
          },
    );
    this.rate.setData(data.x, [data.lr], epochs, null);
    if (run.runId !== this.shownRun || run.epochs.length !== this.shownEpochs) {
      this.renderRows(run, best?.epoch);
    }
  }

  private renderRows(run: RunView, best: number | undefined): void {
    this.shownRun = run.runId;
    this.shownEpochs = run.epochs.length;
    this.rows.replaceChildren(
      ...run.epochs.toReversed().map((row) => {
        const [epoch = '', ...cells] = epochCells(row);
        return el(
          'tr',
          row.epoch === best ? { class: 'best', title: 'Best validation accuracy' } : {},
          el('th', { text: row.epoch === best ? `${epoch} best` : epoch, attributes: { scope: 'row' } }),
          ...cells.map((text) => el('td', { text })),
        );
      }),
    );
    const description = describeCurves(run);
    for (const chart of this.all) {
      chart.describe(description);
    }
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
