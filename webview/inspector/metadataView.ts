import { button } from '../shared/components';
import { el } from '../shared/dom';
import { formatCount } from '../shared/format';
import type { Field } from './metadata';
import { describeMetadata } from './metadata';

/** A longer value is cut, so that a file cannot stall the page; copying gives all of it. */
const maxCharacters = 20_000;

function cut(text: string): string {
  const rest = text.length - maxCharacters;
  return rest > 0 ? `${text.slice(0, maxCharacters)}… (${formatCount(rest)} more characters)` : text;
}

function valueElement({ label, value }: Field): HTMLElement {
  switch (value.kind) {
    case 'text':
      return el(
        'div',
        { class: 'value' },
        el('span', { text: cut(value.text) }),
        value.raw === null
          ? null
          : el('span', { class: 'raw', text: value.raw, title: 'As stored in the file' }),
      );
    case 'chips':
      return el('ul', { class: 'chips' }, ...value.items.map((item) => el('li', { text: cut(item) })));
    case 'pairs':
      return el(
        'dl',
        { class: 'pairs' },
        ...value.pairs.flatMap(({ key, label: name, text }) => [
          el('dt', { text: name, title: key }),
          text === '' ? el('dd', { class: 'no-value', text: 'empty' }) : el('dd', { text: cut(text) }),
        ]),
      );
    case 'json':
      // It can be scrolled, so it must be reachable by key.
      return el('pre', {
        text: cut(value.text),
        attributes: { tabindex: '0', role: 'group', 'aria-label': label },
      });
  }
}

function fieldList(fields: readonly Field[]): HTMLElement {
  return el(
    'dl',
    { class: 'fields' },
    ...fields.flatMap((field) => [
      el('dt', { text: field.label, title: field.key }),
      el('dd', { class: field.value.kind }, valueElement(field)),
    ]),
  );
}

function section(heading: string, content: HTMLElement, action: HTMLElement | null): HTMLElement {
  return el('section', {}, el('div', { class: 'heading' }, el('h2', { text: heading }), action), content);
}

/** The metadata as sections: what the trainer writes, and the rest. Nothing when there is none. */
export function metadataSections(
  entries: readonly (readonly [string, string])[],
  copy: (text: string, what: string) => void,
): HTMLElement[] {
  const { known, other } = describeMetadata(entries);
  const sections: HTMLElement[] = [];
  if (known.length > 0) {
    sections.push(section('Training', fieldList(known), null));
  }
  if (other.length > 0) {
    const copyAll = button({
      label: 'Copy other metadata',
      appearance: 'icon',
      icon: 'copy',
      onClick: () => {
        const keys = new Set(other.map(({ key }) => key));
        const kept = entries.filter(([key]) => keys.has(key));
        copy(JSON.stringify(Object.fromEntries(kept), null, 2), 'the other metadata');
      },
    });
    sections.push(
      section(known.length > 0 ? 'Other metadata' : 'Metadata', fieldList(other), copyAll.element),
    );
  }
  return sections;
}
