import type { Sample } from '../protocol/run';
import type { EpochRow, MetricsRow } from '../protocol/runView';
import { displayWidth, pad, plain } from './text';

/** 812 ms, 3.2 s, 4:05 min, 2:04:05 h. */
export function durationText(ms: number): string {
  if (ms < 1000) {
    return `${Math.round(ms)} ms`;
  }
  if (ms < 59_950) {
    return `${(ms / 1000).toFixed(1)} s`;
  }
  const clock = clockText(ms);
  return ms < 3_599_500 ? `${clock} min` : `${clock} h`;
}

/** 0:07, 4:05, 2:04:05. */
export function clockText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const minutesAndSeconds = `${hours > 0 ? two(minutes) : minutes}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${minutesAndSeconds}` : minutesAndSeconds;
}

/** 2025-01-02 03:04:05, in local time as the ids of runs are. */
export function dateText(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

/** 512 B, 1.2 kB, 44.7 MB: powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** 1.0e-04, with an exponent of two digits. */
export function exponentText(value: number): string {
  return value.toExponential(1).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** "1 image", "2 images". */
export function countText(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** "3/10", or "3" where it is not known of how many. */
export function ofText(count: number, total: number, width = 0): string {
  const text = String(count).padStart(width);
  return total === 0 ? text : `${text}/${total}`;
}

/**
 * `Epoch   3/10 | Train loss: 0.41 acc: 0.82 | Val loss: 0.39 acc: 0.84 | LR: 1.0e-04 | Time: 3.2s`, less what is not
 * known.
 */
export function epochText(row: EpochRow): string {
  return [
    `Epoch ${ofText(row.epoch, row.epochs, 3)}`,
    ...scoresText('Train', row.train_loss, row.train_acc),
    ...scoresText('Val', row.val_loss, row.val_acc),
    ...(row.lr === undefined ? [] : [`LR: ${exponentText(row.lr)}`]),
    ...(row.time_s === undefined ? [] : [`Time: ${row.time_s.toFixed(1)}s`]),
  ].join(' | ');
}

function scoresText(part: string, loss: number | undefined, accuracy: number | undefined): string[] {
  const scores = [
    ...(loss === undefined ? [] : [`loss: ${loss.toFixed(2)}`]),
    ...(accuracy === undefined ? [] : [`acc: ${accuracy.toFixed(2)}`]),
  ];
  return scores.length === 0 ? [] : [`${part} ${scores.join(' ')}`];
}

/** `Step  500/2500 | Train loss: 0.1432 | Gradient norm: 0.12 | LR: 1.9e-03` */
export function metricsText({ epoch, step, steps, values }: MetricsRow): string {
  const { lr, ...others } = values;
  const texts = Object.entries(others).map(
    ([name, value]) => `${capital(plain(name).replaceAll('_', ' '))}: ${value.toFixed(4)}`,
  );
  return [
    ...(epoch === undefined ? [] : [`Epoch ${String(epoch).padStart(3)}`]),
    ...(step === 0 ? [] : [`Step ${ofText(step, steps, String(steps).length)}`]),
    ...texts,
    ...(lr === undefined ? [] : [`LR: ${exponentText(lr)}`]),
  ].join(' | ');
}

/** "Samples after step 500: samples/step-000500.png". */
export function sampleText({ step, file }: Sample): string {
  return `Samples after step ${step}: ${plain(file)}`;
}

/** "wasm (2 CPU cores)". */
export function engineText({ engine, device }: { engine: string; device: string }): string {
  return device === '' ? plain(engine) : `${plain(engine)} (${plain(device)})`;
}

/** The text with its first letter in upper case. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/** Lines of a table with a row of titles. The cells have to be plain text. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => displayWidth(row[index] ?? ''))));
  return all.map((row) =>
    columns
      .map((column, index) => pad(row[index] ?? '', widths[index] ?? 0, column.align ?? 'left'))
      .join('  ')
      .trimEnd(),
  );
}

/** Lines of "name  value" pairs, the values below one another. */
export function factLines(facts: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => displayWidth(name)));
  return facts.map(([name, value]) => `${pad(name, width, 'left')}  ${value}`.trimEnd());
}
