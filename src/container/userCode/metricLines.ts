/** What a line of the log tells of. */
export interface LineMetrics {
  epoch?: number;
  epochs?: number;
  step?: number;
  steps?: number;
  values: Record<string, number>;
}

const PLACES = ['epoch', 'epochs', 'step', 'steps'] as const;
const EPOCH = /\bepoch\s*[:=[]?\s*(\d+)(?:\s*(?:\/|of)\s*(\d+))?/i;
const NUMBERS =
  /\b(train|val(?:id(?:ation)?)?|test)?[\s_]*(loss|acc(?:uracy)?|lr|learning rate|time)\s*[:=]\s*([-+]?[\d.]+(?:e[-+]?\d+)?)(%?)/gi;

/**
 * Reads metrics from a log line: by the user's own patterns, else from lines such as
 * `Epoch 3/10 | Train loss: 0.41 acc: 0.82 | Val loss: 0.39 acc: 0.84 | LR: 1.0e-04 | Time: 3.2s`.
 */
export function readMetrics(line: string, patterns: readonly RegExp[]): LineMetrics | undefined {
  for (const pattern of patterns) {
    const groups = pattern.exec(line)?.groups;
    if (groups !== undefined) {
      return fromGroups(groups);
    }
  }
  const epoch = EPOCH.exec(line);
  if (epoch === null) {
    return undefined;
  }
  const values: Record<string, number> = {};
  let part = 'train';
  for (const [, named, what = '', number = '', percent] of line.matchAll(NUMBERS)) {
    // A part holds up to the next one that is named.
    part = named === undefined ? part : named.toLowerCase() === 'train' ? 'train' : 'val';
    const value = Number(number) / (percent === '%' ? 100 : 1);
    if (Number.isFinite(value)) {
      values[nameOf(part, what.toLowerCase())] = value;
    }
  }
  const epochs = epoch[2] === undefined ? {} : { epochs: Number(epoch[2]) };
  return Object.keys(values).length === 0 ? undefined : { epoch: Number(epoch[1]), ...epochs, values };
}

function nameOf(part: string, what: string): string {
  switch (what) {
    case 'lr':
    case 'learning rate':
      return 'lr';
    case 'time':
      return 'time_s';
    case 'loss':
      return `${part}_loss`;
    default:
      return `${part}_acc`;
  }
}

function fromGroups(groups: Record<string, string | undefined>): LineMetrics {
  const read: LineMetrics = { values: {} };
  for (const [name, text] of Object.entries(groups)) {
    const value = Number(text);
    const place = PLACES.find((each) => each === name);
    if (text === undefined || !Number.isFinite(value)) {
      continue;
    }
    if (place === undefined) {
      read.values[name] = value;
    } else {
      read[place] = Math.round(value);
    }
  }
  return read;
}

/** Patterns as the setting has them; Python's way of naming groups is understood. */
export function compilePatterns(patterns: readonly string[]): RegExp[] {
  return patterns.map((pattern) => new RegExp(pattern.replaceAll('(?P<', '(?<')));
}
