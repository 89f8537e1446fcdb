import type { RunView } from '../../src/protocol/runView';
import { el } from '../shared/dom';
import { formatBytes, formatPercent } from '../shared/format';
import { onThemeChange, readChartTheme } from '../shared/theme';
import { Chart } from './chart';
import { deviceData } from './deviceData';
import { section } from './section';

/** How busy the GPU is and how full its memory, over the seconds since the run began. */
export class DeviceCharts {
  readonly element: HTMLElement;
  private readonly utilisation = new Chart({
    title: 'GPU utilisation',
    heightPx: 104,
    axis: 'seconds',
    range: () => [0, 1],
    formatAxis: (value) => `${Number((value * 100).toPrecision(3))}%`,
    curves: [
      {
        label: 'busy',
        color: (theme) => theme.series.train,
        format: formatPercent,
        width: 1.5,
        points: false,
      },
    ],
  });
  private readonly memory = new Chart({
    title: 'GPU memory',
    heightPx: 104,
    axis: 'seconds',
    range: (_, high) => [0, Math.max(this.totalBytes, high ?? 0, 1)],
    formatAxis: formatBytes,
    curves: [
      { label: 'used', color: (theme) => theme.series.rate, format: formatBytes, width: 1.5, points: false },
    ],
  });
  private totalBytes = 0;
  private shown = '';

  constructor() {
    const { element, body } = section('device', 'GPU');
    this.element = element;
    this.element.hidden = true;
    body.append(el('div', { class: 'charts' }, this.utilisation.element, this.memory.element));
    this.setTheme();
    onThemeChange(() => this.setTheme());
  }

  render(run: RunView): void {
    const { deviceSamples } = run;
    this.element.hidden = deviceSamples.length === 0;
    const shown = `${run.runId} ${deviceSamples.length} ${deviceSamples.at(-1)?.time ?? 0}`;
    if (shown === this.shown) {
      return;
    }
    this.shown = shown;
    const data = deviceData(run);
    this.totalBytes = data.totalBytes;
    const end = Math.max(1, data.seconds.at(-1) ?? 1);
    this.utilisation.element.hidden = data.utilisation.every((value) => value === null);
    this.memory.element.hidden = data.memory.every((value) => value === null);
    this.utilisation.setData(data.seconds, [data.utilisation], end, null);
    this.memory.setData(data.seconds, [data.memory], end, null);
    this.utilisation.describe(data.description);
    this.memory.describe(data.description);
  }

  private setTheme(): void {
    const theme = readChartTheme();
    this.utilisation.setTheme(theme);
    this.memory.setTheme(theme);
  }
}
