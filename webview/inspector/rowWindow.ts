import { setVariable } from '../shared/dom';

/** Rows drawn above and below the visible ones, so that a quick scroll shows no gap. */
const overscan = 12;

export interface RowWindow {
  /** Draws `count` rows anew, asking `makeRow` for those in sight. */
  reset(count: number): void;
  /** The element of a row, if it is in sight. */
  element(index: number): HTMLElement | undefined;
  /** Scrolls as little as needed to show a row below `coveredTop` pixels of the window. */
  reveal(index: number, coveredTop: number): void;
  /** Rows that fit the window. */
  pageSize(): number;
}

/**
 * Keeps only those rows of a long list in the page that are in sight; the page itself scrolls. All rows are as high
 * as the CSS variable `--row-height` of `body` says, in pixels.
 */
export function rowWindow(body: HTMLElement, makeRow: (index: number) => HTMLElement): RowWindow {
  const shown = new Map<number, HTMLElement>();
  let count = 0;

  const rowHeight = () => parseFloat(getComputedStyle(body).getPropertyValue('--row-height'));

  function draw(): void {
    const height = rowHeight();
    const top = body.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - overscan);
    const last = Math.min(count, Math.ceil((window.innerHeight - top) / height) + overscan);
    for (const [index, row] of shown) {
      if (index < first || index >= last) {
        row.remove();
        shown.delete(index);
      }
    }
    // What stays is not touched, so that a selection of text survives scrolling.
    let next = body.firstElementChild;
    for (let index = first; index < last; index++) {
      const present = shown.get(index);
      if (present !== undefined) {
        next = present.nextElementSibling;
        continue;
      }
      const row = makeRow(index);
      setVariable(row, '--row', String(index));
      shown.set(index, row);
      body.insertBefore(row, next);
    }
  }

  let scheduled = false;
  const schedule = () => {
    if (!scheduled) {
      scheduled = true;
      requestAnimationFrame(() => {
        scheduled = false;
        draw();
      });
    }
  };
  window.addEventListener('scroll', schedule, { passive: true });
  window.addEventListener('resize', schedule);

  return {
    reset: (newCount) => {
      count = newCount;
      shown.clear();
      body.replaceChildren();
      setVariable(body, '--rows', String(count));
      draw();
    },
    element: (index) => shown.get(index),
    reveal: (index, coveredTop) => {
      const height = rowHeight();
      const top = body.getBoundingClientRect().top + index * height;
      if (top < coveredTop) {
        window.scrollBy(0, top - coveredTop);
      } else if (top + height > window.innerHeight) {
        window.scrollBy(0, top + height - window.innerHeight);
      }
      draw();
    },
    pageSize: () => Math.max(1, Math.floor(window.innerHeight / rowHeight()) - 4),
  };
}
