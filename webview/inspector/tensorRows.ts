import type { InspectorState, TensorRow } from '../../src/protocol/inspector';

export type Sort = InspectorState['sort'];

/** A row with what filtering and sorting need, worked out once per file. */
export interface Row extends TensorRow {
  shapeText: string;
  elements: number;
  haystack: string;
}

// "layer.2" comes before "layer.10".
const byName = new Intl.Collator('en', { numeric: true });

export function toRows(tensors: readonly TensorRow[]): Row[] {
  return tensors.map((tensor) => {
    const shapeText = `[${tensor.shape.join(', ')}]`;
    return {
      ...tensor,
      shapeText,
      elements: tensor.shape.reduce((product, size) => product * size, 1),
      haystack: `${tensor.name} ${tensor.dtype} ${shapeText}`.toLowerCase(),
    };
  });
}

/** The rows whose name, dtype or shape hold every word of `filter`, whatever the case. */
export function filterRows(rows: readonly Row[], filter: string): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ haystack }) => words.every((word) => haystack.includes(word)));
}

const compare = {
  name: (a: Row, b: Row) => byName.compare(a.name, b.name),
  dtype: (a: Row, b: Row) => byName.compare(a.dtype, b.dtype),
  shape: (a: Row, b: Row) => a.elements - b.elements || byName.compare(a.shapeText, b.shapeText),
  bytes: (a: Row, b: Row) => a.bytes - b.bytes,
};

/** The rows in the order asked for; equal ones stay in the order of the file. */
export function sortRows(rows: readonly Row[], sort: Sort): Row[] {
  if (sort === null) {
    return [...rows];
  }
  const sign = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare[sort.column](a, b));
}

/** A field of a table that spreadsheets take as one cell. */
function cell(value: string | number): string {
  const text = String(value);
  return /["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The rows as tab-separated values with a heading. */
export function toTsv(rows: readonly Row[]): string {
  const lines = [
    ['name', 'dtype', 'shape', 'parameters', 'bytes'],
    ...rows.map((row) => [row.name, row.dtype, row.shapeText, row.elements, row.bytes]),
  ];
  return lines.map((line) => `${line.map(cell).join('\t')}\n`).join('');
}

/** How many tensors there are of each dtype, the most frequent first: "F32 × 12, I64 × 1". */
export function dtypeCounts(tensors: readonly TensorRow[]): string {
  const counts = new Map<string, number>();
  for (const { dtype } of tensors) {
    counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([dtype, count]) => (counts.size === 1 ? dtype : `${dtype} × ${count}`))
    .join(', ');
}
