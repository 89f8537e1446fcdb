/** Shown where a value is not known. */
export const UNKNOWN = '–';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes in steps of 1000, three digits: 1536 is "1.54 kB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : threeDigits(value)} ${UNITS[unit] ?? ''}`;
}

/** A whole number with thousands set apart: 12,345. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** A count with its noun: "1 image", "12 images". */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** A short duration of a start: "84 ms", "2.41 s", "1:05 min". */
export function formatDuration(ms: number): string {
  if (ms < 999.5) {
    return ms > 0 && ms < 9.95 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
  }
  return ms < 59_995 ? `${threeDigits(ms / 1000)} s` : `${formatClock(ms)} min`;
}

/** A running time in whole seconds, as on a clock: "0:07", "12:30", "1:02:03". */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** An estimate of the time left, rounded the more the longer it is: "5 s", "2 min", "1 h 20 min". */
export function formatTimeLeft(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  if (seconds < 600) {
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Local time of day with milliseconds, for the log. */
export function formatTime(time: number): string {
  const date = new Date(time);
  const pad = (value: number, width: number) => String(value).padStart(width, '0');
  return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`;
}

/** A share of 0 to 1 as a percentage: "94.2%". */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** A loss: four digits, in powers of ten where it is tiny or huge. */
export function formatLoss(loss: number): string {
  const size = Math.abs(loss);
  if (size !== 0 && (size < 0.001 || size >= 100_000)) {
    return loss.toExponential(2);
  }
  return size < 10 ? loss.toFixed(4) : loss.toPrecision(5);
}

/** A learning rate as people write it: "0.001", "3e-4". */
export function formatRate(rate: number): string {
  if (rate === 0) {
    return '0';
  }
  return rate >= 0.001 ? String(Number(rate.toPrecision(3))) : trimExponent(rate.toExponential(2));
}

function trimExponent(text: string): string {
  const [digits = '', exponent = ''] = text.split('e');
  return `${Number(digits)}e${exponent}`;
}

function threeDigits(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** `batch_size` as a person reads it: "Batch size". */
export function humanName(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
