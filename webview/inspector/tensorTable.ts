import type { SortColumn, TensorRow } from '../../src/protocol/inspector';
import { button, textField } from '../shared/components';
import { el, setText } from '../shared/dom';
import { counted, formatBytes, formatCount } from '../shared/format';
import { icon } from '../shared/icons';
import { rowWindow } from './rowWindow';
import { columnHeader } from './sortHeader';
import type { Row, Sort } from './tensorRows';
import { filterRows, sortRows, toRows, toTsv } from './tensorRows';

export interface TensorTableOptions {
  filter: string;
  sort: Sort;
  copy: (text: string, what: string) => void;
  /** The user asked for other rows or another order. */
  onChange: (view: { filter: string; sort: Sort }) => void;
}

export interface TensorTable {
  readonly element: HTMLElement;
  /** Shows other tensors under the same filter and order; a chosen tensor of the same name stays chosen. */
  update(tensors: readonly TensorRow[]): void;
}

const columns: { column: SortColumn; label: string }[] = [
  { column: 'name', label: 'Name' },
  { column: 'dtype', label: 'Data type' },
  { column: 'shape', label: 'Shape' },
  { column: 'bytes', label: 'Size' },
];

/** The table of tensors with its filter, order and copy actions. */
export function tensorTable(options: TensorTableOptions): TensorTable {
  let { filter, sort } = options;
  let all: Row[] = [];
  let rows: Row[] = [];
  let active: number | null = null;

  const count = el('span', { class: 'count', attributes: { role: 'status' } });
  const empty = el('p', { class: 'empty', text: 'No tensor matches the filter.' });
  const body = el('div', { class: 'rows', attributes: { role: 'rowgroup' } });
  const field = textField({
    label: 'Filter tensors by name, data type or shape',
    labelHidden: true,
    value: filter,
    placeholder: 'Filter tensors',
    onInput: (value) => {
      filter = value;
      changeView();
    },
  });
  const copyNameButton = button({
    label: 'Copy name',
    appearance: 'secondary',
    title: 'Copy the name of the chosen tensor (Ctrl+C in the table)',
    onClick: copyName,
  });
  const copyTableButton = button({
    label: 'Copy table',
    appearance: 'secondary',
    icon: 'copy',
    title: 'Copy the rows shown, as tab-separated values',
    onClick: () => options.copy(toTsv(rows), counted(rows.length, 'row')),
  });
  const header = columnHeader(columns, (column) => {
    sort = nextSort(sort, column);
    changeView();
  });
  const sticky = el(
    'div',
    { class: 'sticky' },
    el('div', { class: 'toolbar' }, field.element, count, copyNameButton.element, copyTableButton.element),
    header.element,
  );
  const grid = el(
    'div',
    { class: 'grid', attributes: { role: 'grid', tabindex: '0', 'aria-label': 'Tensors' } },
    sticky,
    body,
    empty,
  );
  const list = rowWindow(body, makeRow);

  function makeRow(index: number): HTMLElement {
    const row = rows[index];
    const copy = el('span', { class: 'row-actions', attributes: { role: 'gridcell' } });
    copy.append(
      rowCopyButton(() => {
        choose(index);
        copyName();
      }),
    );
    const element = el(
      'div',
      { class: 'row', attributes: { role: 'row', id: `row-${index}`, 'aria-rowindex': String(index + 2) } },
      gridCell('name', row?.name ?? '', row?.name),
      gridCell('dtype', row?.dtype ?? ''),
      gridCell('shape', row?.shapeText ?? '', row && counted(row.elements, 'parameter')),
      gridCell('bytes', formatBytes(row?.bytes ?? 0), row && counted(row.bytes, 'byte')),
      copy,
    );
    element.setAttribute('aria-selected', String(index === active));
    element.addEventListener('click', () => choose(index));
    return element;
  }

  function copyName(): void {
    const row = active === null ? undefined : rows[active];
    if (row !== undefined) {
      options.copy(row.name, row.name);
    }
  }

  function choose(index: number | null): void {
    if (active !== null) {
      list.element(active)?.setAttribute('aria-selected', 'false');
    }
    active = index;
    copyNameButton.setDisabled(index === null);
    if (index === null) {
      grid.removeAttribute('aria-activedescendant');
    } else {
      list.element(index)?.setAttribute('aria-selected', 'true');
      grid.setAttribute('aria-activedescendant', `row-${index}`);
    }
  }

  /** Draws the rows that the filter leaves; the chosen tensor is found again by its name. */
  function draw(): void {
    const name = active === null ? undefined : rows[active]?.name;
    rows = sortRows(filterRows(all, filter), sort);
    const found = name === undefined ? -1 : rows.findIndex((row) => row.name === name);
    choose(found < 0 ? null : found);
    header.show(sort);
    const total = counted(all.length, 'tensor');
    setText(count, rows.length === all.length ? total : `${formatCount(rows.length)} of ${total}`);
    empty.hidden = rows.length > 0 || all.length === 0;
    copyTableButton.setDisabled(rows.length === 0);
    grid.setAttribute('aria-rowcount', String(rows.length + 1));
    list.reset(rows.length);
  }

  function changeView(): void {
    draw();
    // Deep in the old list the new one may already be over: back to its first row.
    const covered = grid.getBoundingClientRect().top;
    if (covered < 0) {
      window.scrollBy(0, covered);
    }
    options.onChange({ filter, sort });
  }

  field.element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && filter !== '') {
      field.value = '';
      filter = '';
      changeView();
    }
  });
  grid.addEventListener('keydown', (event) => {
    if (event.target !== grid) {
      return;
    }
    if (event.key === 'c' && (event.ctrlKey || event.metaKey) && getSelection()?.isCollapsed !== false) {
      copyName();
    }
    const index = targetRow(event.key, active, rows.length, list.pageSize());
    if (index !== null) {
      event.preventDefault();
      list.reveal(index, sticky.offsetHeight);
      choose(index);
    }
  });

  return {
    element: el(
      'section',
      { class: 'tensors' },
      el('div', { class: 'heading' }, el('h2', { text: 'Tensors' })),
      grid,
    ),
    update: (tensors) => {
      all = toRows(tensors);
      draw();
    },
  };
}

function gridCell(name: string, text: string, title?: string): HTMLElement {
  return el('span', {
    class: name,
    text,
    attributes: { role: 'gridcell' },
    ...(title === undefined ? {} : { title }),
  });
}

/** For the pointer; the keyboard has Ctrl+C on the chosen row. A plain button, since many come and go in a scroll. */
function rowCopyButton(onClick: () => void): HTMLElement {
  const element = el('button', {
    title: 'Copy name',
    attributes: { type: 'button', tabindex: '-1', 'aria-label': 'Copy name' },
  });
  element.append(icon('copy'));
  element.addEventListener('mousedown', (event) => event.preventDefault());
  element.addEventListener('click', onClick);
  return element;
}

/** Upwards, downwards, then back to the order of the file. */
function nextSort(sort: Sort, column: SortColumn): Sort {
  if (sort?.column !== column) {
    return { column, descending: false };
  }
  return sort.descending ? null : { column, descending: true };
}

/** The row that a key leads to from row `active`; null for a key that leads nowhere. */
function targetRow(key: string, active: number | null, count: number, page: number): number | null {
  const from = active ?? -1;
  const targets: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + page,
    PageUp: from - page,
    Home: 0,
    End: count - 1,
  };
  const target = Object.hasOwn(targets, key) ? targets[key] : undefined;
  return target === undefined || count === 0 ? null : Math.min(count - 1, Math.max(0, target));
}
