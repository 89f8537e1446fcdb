import { formatPercent, humanName } from '../shared/format';

type Entry = readonly [key: string, text: string];

/** One metadata entry, ready to be drawn. */
export interface Field {
  key: string;
  label: string;
  value:
    | {
        kind: 'text';
        text: string;
        /** The value as stored, where `text` is a reading of it. */ raw: string | null;
      }
    | { kind: 'chips'; items: string[] }
    | { kind: 'pairs'; pairs: { key: string; label: string; text: string }[] }
    | { kind: 'json'; text: string };
}

type Reading = Field['value'] | null;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function plain(text: string): Field['value'] {
  return { kind: 'text', text, raw: null };
}

/** A value inside an object, on one line. */
function inline(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  return Array.isArray(value) ? value.map(inline).join(', ') : JSON.stringify(value);
}

function percentage(text: string): Reading {
  const share = text.trim() === '' ? NaN : Number(text);
  return share >= 0 && share <= 1 ? { kind: 'text', text: formatPercent(share), raw: text } : null;
}

function list(text: string): Reading {
  const value = parseJson(text);
  return Array.isArray(value) ? { kind: 'chips', items: value.map(inline) } : null;
}

function pairs(text: string, labelOf: (key: string) => string): Reading {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return null;
  }
  return {
    kind: 'pairs',
    pairs: Object.entries(value).map(([key, item]) => ({ key, label: labelOf(key), text: inline(item) })),
  };
}

function date(text: string): Reading {
  const time = Date.parse(text);
  return /^\d{4}-/.test(text) && !Number.isNaN(time)
    ? { kind: 'text', text: new Date(time).toLocaleString(), raw: text }
    : null;
}

/** The entries that the trainer writes, in the order in which they are shown. */
const knownFields: Record<string, { label: string; read: (text: string) => Reading }> = {
  val_acc: { label: 'Validation accuracy', read: percentage },
  val_loss: { label: 'Validation loss', read: plain },
  epoch: { label: 'Epoch', read: plain },
  backbone: { label: 'Backbone', read: plain },
  classes: { label: 'Classes', read: list },
  preprocessing: { label: 'Preprocessing', read: (text) => pairs(text, humanName) },
  params: { label: 'Run parameters', read: (text) => pairs(text, (key) => key) },
  recipe: { label: 'Recipe', read: plain },
  engine: { label: 'Engine', read: plain },
  run_id: { label: 'Run', read: plain },
  created_at: { label: 'Created', read: date },
  format: { label: 'Format', read: plain },
};

/** An entry of unknown meaning: as it is, or laid out where it is an object or an array of JSON. */
function describeOther([key, text]: Entry): Field {
  const value = parseJson(text);
  return {
    key,
    label: key,
    value:
      typeof value === 'object' && value !== null
        ? { kind: 'json', text: JSON.stringify(value, null, 2) }
        : plain(text),
  };
}

/**
 * Splits the metadata into what the trainer is known to write and the rest. A known entry whose value is not of the
 * expected kind is shown as it is.
 */
export function describeMetadata(entries: readonly Entry[]): { known: Field[]; other: Field[] } {
  const byKey = new Map(entries);
  const known: Field[] = [];
  for (const [key, { label, read }] of Object.entries(knownFields)) {
    const text = byKey.get(key);
    // Other programs use this key for something else: "pt", for PyTorch.
    const foreign = key === 'format' && text !== 'tiny-cats';
    if (text !== undefined && !foreign) {
      known.push({ key, label, value: read(text) ?? plain(text) });
    }
  }
  const epochs = byKey.get('epochs');
  const epoch = known.find(({ key }) => key === 'epoch');
  if (epoch?.value.kind === 'text' && epochs !== undefined) {
    epoch.value.text += ` of ${epochs}`;
  }
  const shown = new Set(known.map(({ key }) => key).concat(epoch === undefined ? [] : ['epochs']));
  return { known, other: entries.filter(([key]) => !shown.has(key)).map(describeOther) };
}
