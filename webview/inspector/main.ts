import * as v from 'valibot';
import type {
  CheckpointSummary,
  HostToInspector,
  InspectorState,
  InspectorToHost,
} from '../../src/protocol/inspector';
import { hostToInspectorSchema, inspectorStateSchema } from '../../src/protocol/inspector';
import { button } from '../shared/components';
import { el, requireElement, setText } from '../shared/dom';
import { formatBytes, formatCount } from '../shared/format';
import { connectToHost } from '../shared/vscodeApi';
import './inspector.css';
import { metadataSections } from './metadataView';
import { dtypeCounts } from './tensorRows';
import { tensorTable } from './tensorTable';

const host = connectToHost<HostToInspector, InspectorToHost, InspectorState>(
  (data) => v.is(hostToInspectorSchema, data),
  inspectorStateSchema,
);
let state: InspectorState = host.kept ?? { filter: '', sort: null, scrollTop: 0 };
/** Null until there is something to scroll. */
let shown: 'summary' | 'error' | null = null;

const title = el('h1');
const format = el('span', { class: 'badge' });
const status = el('span', { class: 'status', attributes: { role: 'status' } });
const feedback = el('div', { class: 'feedback', attributes: { role: 'status' } });
const path = el('p', { class: 'path' });
const facts = el('dl', { class: 'facts' });
const notes = el('ul', { class: 'notes' });
const metadata = el('div', { class: 'metadata' });
const table = tensorTable({
  ...state,
  copy,
  onChange: (view) => remember(view),
});
const problemText = el('p');
const problem = el(
  'section',
  { class: 'problem', attributes: { role: 'alert' } },
  el('h2', { text: 'This checkpoint cannot be shown' }),
  problemText,
  button({
    label: 'Try again',
    appearance: 'primary',
    icon: 'rerun',
    onClick: () => host.send({ type: 'reload' }),
  }).element,
);
const content = el('div', { class: 'content' }, facts, notes, metadata, table.element);
problem.hidden = true;
content.hidden = true;

requireElement('app').append(
  el('header', {}, el('div', { class: 'title' }, title, format, status), path),
  problem,
  content,
  feedback,
);

function remember(change: Partial<InspectorState>): void {
  state = { ...state, ...change };
  host.keep(state);
}

function copy(text: string, what: string): void {
  host.send({ type: 'copy', text });
  setText(feedback, `Copied ${what}`);
  feedback.animate([{ opacity: 1 }, { opacity: 1, offset: 0.8 }, { opacity: 0 }], { duration: 2500 });
}

function showFile(file: string): void {
  const name = file.split(/[\\/]/).at(-1) ?? file;
  document.title = name;
  setText(title, name);
  setText(path, file);
}

function showFacts(summary: CheckpointSummary): void {
  const values = [
    ['Parameters', formatCount(summary.parameterCount), ''],
    ['Tensors', formatCount(summary.tensors.length), ''],
    ['Data types', dtypeCounts(summary.tensors) || 'none', ''],
    ['File size', formatBytes(summary.fileBytes), `${formatCount(summary.fileBytes)} bytes`],
  ] as const;
  facts.replaceChildren(
    ...values.map(([label, text, hint]) =>
      el('div', { title: hint }, el('dt', { text: label }), el('dd', { text })),
    ),
  );
}

function showSummary(summary: CheckpointSummary): void {
  const tableTop = table.element.getBoundingClientRect().top;
  setText(format, summary.format);
  showFacts(summary);
  notes.replaceChildren(...summary.notes.map((text) => el('li', { text })));
  metadata.replaceChildren(...metadataSections(summary.metadata, copy));
  problem.hidden = true;
  content.hidden = false;
  table.update(summary.tensors);
  if (shown === 'summary') {
    if (tableTop < 0) {
      // The reader is in the table: metadata that grew or shrank above it must not move the rows.
      window.scrollBy(0, table.element.getBoundingClientRect().top - tableTop);
    }
    setText(status, `Updated ${new Date().toLocaleTimeString()}`);
  } else {
    window.scrollTo(0, state.scrollTop);
    setText(status, '');
  }
  shown = 'summary';
}

function show(message: HostToInspector): void {
  if (message.type === 'summary') {
    showFile(message.summary.path);
    showSummary(message.summary);
  } else {
    showFile(message.path);
    shown = 'error';
    setText(format, '');
    setText(status, '');
    setText(problemText, message.message);
    content.hidden = true;
    problem.hidden = false;
  }
}

window.addEventListener('scrollend', () => {
  if (shown === 'summary') {
    remember({ scrollTop: window.scrollY });
  }
});
host.listen(show);
host.send({ type: 'ready' });
