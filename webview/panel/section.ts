import { el } from '../shared/dom';

export interface Section {
  readonly element: HTMLElement;
  /** Where the section's content goes. */
  readonly body: HTMLElement;
  /** Beside the heading, at the end of its line. */
  readonly tools: HTMLElement;
  /** A short fact beside the heading. */
  readonly note: HTMLElement;
}

let made = 0;

function heading(title: string): { id: string; element: HTMLElement } {
  made += 1;
  const id = `heading-${made}`;
  return { id, element: el('h2', { text: title, attributes: { id } }) };
}

/** A part of the page under a heading. */
export function section(name: string, title: string): Section {
  const { id, element: h2 } = heading(title);
  const note = el('span', { class: 'note' });
  const tools = el('div', { class: 'tools' });
  const body = el('div', { class: 'body' });
  const head = el('header', { class: 'section-head' }, h2, note, tools);
  const element = el(
    'section',
    { class: `section ${name}`, attributes: { 'aria-labelledby': id } },
    head,
    body,
  );
  return { element, body, tools, note };
}

export interface FoldedSection extends Section {
  open: boolean;
}

/** A part of the page that can be folded away. */
export function foldedSection(name: string, title: string, open: boolean): FoldedSection {
  const { id, element: h2 } = heading(title);
  const note = el('span', { class: 'note' });
  const tools = el('div', { class: 'tools' });
  const body = el('div', { class: 'body' });
  const summary = el('summary', { class: 'section-head' }, h2, note);
  const details = el('details', {}, summary, body, tools);
  details.open = open;
  const element = el(
    'section',
    { class: `section folded ${name}`, attributes: { 'aria-labelledby': id } },
    details,
  );
  return {
    element,
    body,
    tools,
    note,
    get open() {
      return details.open;
    },
    set open(value) {
      details.open = value;
    },
  };
}
