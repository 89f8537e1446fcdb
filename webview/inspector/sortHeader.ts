import type { SortColumn } from '../../src/protocol/inspector';
import { el } from '../shared/dom';
import type { Sort } from './tensorRows';

/** The heading of the table; each column's name is a button that orders by it. */
export function columnHeader(
  columns: readonly { column: SortColumn; label: string }[],
  onSort: (column: SortColumn) => void,
): { element: HTMLElement; show: (sort: Sort) => void } {
  const cells = columns.map(({ column, label }) => {
    const button = el('button', {
      text: label,
      title: `Sort by ${label.toLowerCase()}`,
      attributes: { type: 'button' },
    });
    button.addEventListener('click', () => onSort(column));
    return { column, cell: el('span', { class: column, attributes: { role: 'columnheader' } }, button) };
  });
  return {
    element: el(
      'div',
      { class: 'header-row', attributes: { role: 'row', 'aria-rowindex': '1' } },
      ...cells.map(({ cell }) => cell),
    ),
    show: (sort) => {
      for (const { column, cell } of cells) {
        const order = sort?.descending === true ? 'descending' : 'ascending';
        cell.setAttribute('aria-sort', sort?.column === column ? order : 'none');
      }
    },
  };
}
