import uPlot from 'uplot';
import { el, setText, setVariable } from '../shared/dom';
import { UNKNOWN } from '../shared/format';
import type { ChartTheme } from '../shared/theme';
import { nearestIndex } from './chartData';

type Column = (number | null)[];
type Range = (low: number | null, high: number | null) => [number, number];

export interface Curve {
  label: string;
  color: (theme: ChartTheme) => string;
  format: (value: number) => string;
  width: number;
  /** Dashes where the theme is of high contrast. */
  dash?: number[];
  /** Whether single points are drawn while they are few. */
  points: boolean;
}

export interface ChartOptions {
  title: string;
  curves: readonly Curve[];
  range: Range;
  formatAxis: (value: number) => string;
  heightPx: number;
  /** What `x` counts, epochs or steps if not given; cursors of charts that count the same move together. */
  axis?: 'epochs' | 'seconds';
}

export interface ChartMark {
  x: number;
  y: number;
  /** Which curve it lies on. */
  curve: number;
  text: string;
}

/** Points are drawn while they are further apart than this. */
const POINT_SPACING_PX = 14;
const DIGIT_PX = 8;
const EPOCH_STEPS = [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));

/** The last number of the axis stands in the middle of its end: half of it needs room. */
function rightPaddingPx(end: number): number {
  return Math.max(12, (Math.round(end).toLocaleString().length * DIGIT_PX) / 2 + 4);
}

/** One chart over epochs or steps, with a legend that follows the cursor; cursors of all charts move together. */
export class Chart {
  readonly element: HTMLElement;
  private readonly canvas = el('div', { class: 'chart-canvas', attributes: { role: 'img' } });
  private readonly values: HTMLElement[] = [];
  private readonly swatches: HTMLElement[] = [];
  private readonly entries: HTMLElement[] = [];
  private readonly markText = el('span', { class: 'mark' });
  private plot: uPlot | null = null;
  private data: uPlot.AlignedData = [[]];
  private epochs = 1;
  private mark: ChartMark | null = null;
  private theme: ChartTheme | null = null;
  private widthPx = 0;

  constructor(private readonly options: ChartOptions) {
    const legend = el('div', { class: 'legend', attributes: { 'aria-hidden': 'true' } });
    for (const curve of options.curves) {
      const swatch = el('span', { class: 'swatch' });
      const value = el('span', { class: 'value', text: UNKNOWN });
      this.swatches.push(swatch);
      this.values.push(value);
      const entry = el('span', { class: 'entry' }, swatch, el('span', { text: curve.label }), value);
      this.entries.push(entry);
      legend.append(entry);
    }
    legend.append(this.markText);
    this.element = el(
      'figure',
      { class: 'chart' },
      el('figcaption', {}, el('h3', { text: options.title }), legend),
      this.canvas,
    );
    new ResizeObserver(([entry]) => this.resize(Math.floor(entry?.contentRect.width ?? 0))).observe(
      this.canvas,
    );
  }

  /** @param columns one for each curve, as long as `x` */
  setData(x: number[], columns: Column[], epochs: number, mark: ChartMark | null): void {
    this.data = [x, ...columns];
    this.epochs = epochs;
    this.mark = mark;
    // A curve that others have come before is not going to come.
    const isThere = columns.map((column) => column.some((value) => value !== null));
    this.entries.forEach(
      (entry, index) => (entry.hidden = isThere.includes(true) && isThere[index] !== true),
    );
    setText(this.markText, mark?.text ?? '');
    this.plot?.setData(this.data);
    this.showValues();
  }

  describe(text: string): void {
    this.canvas.setAttribute('aria-label', `${this.options.title}. ${text}`);
  }

  setTheme(theme: ChartTheme): void {
    this.theme = theme;
    this.options.curves.forEach((curve, index) => {
      const swatch = this.swatches[index];
      if (swatch !== undefined) {
        setVariable(swatch, '--color', curve.color(theme));
        swatch.classList.toggle('dashed', theme.highContrast && curve.dash !== undefined);
      }
    });
    this.build();
  }

  private resize(widthPx: number): void {
    if (widthPx === this.widthPx || widthPx === 0) {
      return;
    }
    this.widthPx = widthPx;
    if (this.plot === null) {
      this.build();
    } else {
      this.plot.setSize({ width: widthPx, height: this.options.heightPx });
    }
  }

  private build(): void {
    this.plot?.destroy();
    this.plot = null;
    if (this.theme !== null && this.widthPx > 0) {
      this.plot = new uPlot(this.plotOptions(this.theme), this.data, this.canvas);
    }
  }

  private showValues(): void {
    this.options.curves.forEach((curve, index) => {
      const column = this.data[index + 1] ?? [];
      const hovered = this.plot?.cursor.idxs?.[index + 1];
      const row = hovered ?? nearestIndex(column, column.length - 1);
      const value = row === null ? null : (column[row] ?? null);
      const node = this.values[index];
      if (node !== undefined) {
        setText(node, value === null ? UNKNOWN : curve.format(value));
      }
    });
  }

  private plotOptions(theme: ChartTheme): uPlot.Options {
    const axis: uPlot.Axis = {
      stroke: theme.text,
      font: theme.font,
      grid: { stroke: theme.grid, width: 1 },
      ticks: { show: false },
      gap: 6,
    };
    return {
      width: this.widthPx,
      height: this.options.heightPx,
      padding: [8, () => rightPaddingPx(this.epochs), 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: this.options.axis ?? 'epochs', scales: ['x', null] },
        points: { size: 7, width: 2 },
        dataIdx: (plot, series, hovered) => nearestIndex(plot.data[series] ?? [], hovered) ?? hovered,
      },
      scales: {
        x: { time: false, range: () => [0, this.epochs] },
        y: { range: (_, low, high) => this.options.range(low, high) },
      },
      axes: [
        { ...axis, size: 24, space: 36, incrs: EPOCH_STEPS },
        {
          ...axis,
          size: 48,
          space: 32,
          values: (_, splits) => splits.map((value) => this.options.formatAxis(value)),
        },
      ],
      series: [{}, ...this.options.curves.map((curve) => this.series(curve, theme))],
      hooks: {
        setCursor: [() => this.showValues()],
        draw: [(plot) => this.drawMark(plot, theme)],
      },
    };
  }

  private series(curve: Curve, theme: ChartTheme): uPlot.Series {
    return {
      stroke: curve.color(theme),
      width: curve.width,
      spanGaps: true,
      ...(theme.highContrast && curve.dash !== undefined ? { dash: curve.dash } : {}),
      points: {
        show: () => curve.points && this.widthPx / this.epochs > POINT_SPACING_PX,
        size: 5,
        fill: curve.color(theme),
      },
    };
  }

  private drawMark(plot: uPlot, theme: ChartTheme): void {
    const curve = this.mark === null ? undefined : this.options.curves[this.mark.curve];
    if (this.mark === null || curve === undefined) {
      return;
    }
    const { ctx } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.arc(
      plot.valToPos(this.mark.x, 'x', true),
      plot.valToPos(this.mark.y, 'y', true),
      5 * ratio,
      0,
      2 * Math.PI,
    );
    ctx.fillStyle = theme.background;
    ctx.strokeStyle = curve.color(theme);
    ctx.lineWidth = 2 * ratio;
    ctx.fill();
    ctx.stroke();
    ctx.restore();
  }
}
