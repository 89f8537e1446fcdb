import type { RunView } from '../../src/protocol/runView';
import { el, setText } from '../shared/dom';
import { counted } from '../shared/format';
import type { PanelModel } from './model';
import { foldedSection } from './section';

const SHOWN_HASH = 12;

/** Of a run of the user's own code: what it returned, and the files that it executed. */
export class CodeCard {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly note: HTMLElement;
  private shown = '';

  constructor() {
    const { element, body, note } = foldedSection('own-code', 'Code of this run', false);
    this.element = element;
    this.body = body;
    this.note = note;
  }

  render({ run }: PanelModel): void {
    const isUsers = run !== null && run.entrypoint !== null;
    this.element.hidden =
      !isUsers || (run.files.length === 0 && (run.result?.returned ?? undefined) === undefined);
    if (!isUsers) {
      return;
    }
    const shown = `${run.runId} ${run.files.length} ${run.result === null ? '' : 'ended'}`;
    if (shown !== this.shown) {
      this.shown = shown;
      this.renderRun(run);
    }
  }

  private renderRun({ files, result }: RunView): void {
    setText(this.note, counted(files.length, 'file'));
    const returned = result?.returned ?? undefined;
    this.body.replaceChildren(
      ...(returned === undefined
        ? []
        : [
            el('p', { class: 'hint', text: 'Returned' }),
            el('pre', { class: 'returned', text: JSON.stringify(returned, undefined, 2) }),
          ]),
      el(
        'dl',
        { class: 'pairs' },
        ...files.flatMap(({ path, sha256 }) => [
          el('dt', { text: path, title: path }),
          el('dd', { class: 'code', text: sha256.slice(0, SHOWN_HASH), title: `SHA-256 ${sha256}` }),
        ]),
      ),
    );
  }
}
