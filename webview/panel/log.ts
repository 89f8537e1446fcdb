import type { LogLevel } from '../../src/protocol/events';
import type { LogLine, RunView } from '../../src/protocol/runView';
import { button, dropdown, textField } from '../shared/components';
import { el, setText, textButton } from '../shared/dom';
import { counted, formatCount, formatTime } from '../shared/format';
import type { LogFilter } from './logLines';
import { EVERYTHING, lineMatcher, linesAfter, logText } from './logLines';
import { locationLink } from './locationLink';
import type { Send } from './model';
import { section } from './section';

/** Lines of one block; the browser lays out only the blocks in view. */
const BLOCK_LINES = 100;
/** The list follows the newest line while it is scrolled to within this of its end. */
const END_PX = 24;

const LEVELS: readonly { value: LogLevel; label: string }[] = [
  { value: 'debug', label: 'All levels' },
  { value: 'info', label: 'Info and above' },
  { value: 'warning', label: 'Warnings and errors' },
  { value: 'error', label: 'Errors' },
];

/** The run's log: follows the newest line until the user scrolls up, can be filtered and copied. */
export class Log {
  readonly element: HTMLElement;
  private readonly list = el('div', {
    class: 'log-list',
    attributes: { role: 'log', 'aria-live': 'off', 'aria-label': 'Log lines', tabindex: '0' },
  });
  private readonly empty = el('p', { class: 'quiet' });
  private readonly newest: HTMLElement;
  private readonly note: HTMLElement;
  private filter: LogFilter = EVERYTHING;
  private matches = lineMatcher(EVERYTHING);
  private run: RunView | null = null;
  private shownRun = '';
  private lastSeq = 0;
  private lines = 0;
  private following = true;
  private lastTop = 0;

  constructor(private readonly send: Send) {
    const { element, body, tools, note } = section('log', 'Log');
    this.element = element;
    this.note = note;
    const level = dropdown({
      label: 'Least level shown',
      labelHidden: true,
      choices: LEVELS,
      value: 'debug',
      onChange: (value) => {
        const chosen = LEVELS.find((one) => one.value === value);
        this.setFilter({ ...this.filter, level: chosen?.value ?? 'debug' });
      },
    });
    const text = textField({
      label: 'Filter log lines',
      labelHidden: true,
      placeholder: 'Filter',
      value: '',
      onInput: (value) => this.setFilter({ ...this.filter, text: value }),
    });
    const copy = button({
      label: 'Copy the lines shown',
      icon: 'copy',
      appearance: 'icon',
      onClick: () => void this.copy(),
    });
    const open = button({
      label: 'Open training.log',
      icon: 'file',
      appearance: 'icon',
      onClick: () => send({ type: 'openLog' }),
    });
    tools.append(text.element, level.element, copy.element, open.element);
    this.newest = textButton('Jump to newest ↓', () => this.follow());
    this.newest.classList.add('jump');
    this.newest.hidden = true;
    body.append(el('div', { class: 'log-frame' }, this.list, this.newest), this.empty);
    this.list.addEventListener('scroll', () => this.onScroll(), { passive: true });
  }

  render(run: RunView): void {
    this.run = run;
    if (run.runId !== this.shownRun || run.lastSeq < this.lastSeq) {
      this.shownRun = run.runId;
      this.clear();
      this.follow();
    }
    this.append(linesAfter(run.log, this.lastSeq));
    this.dropBefore(run.log[0]?.seq ?? 0);
    this.lastSeq = Math.max(this.lastSeq, run.log.at(-1)?.seq ?? 0);
    this.renderNotes(run);
    if (this.following) {
      this.scrollToEnd();
    }
  }

  private renderNotes(run: RunView): void {
    const filtered = this.lines === run.log.length ? '' : `${formatCount(this.lines)} of `;
    const dropped = run.droppedLogLines > 0 ? `, ${run.droppedLogLines} older ones in training.log` : '';
    setText(this.note, run.log.length === 0 ? '' : `${filtered}${counted(run.log.length, 'line')}${dropped}`);
    this.empty.hidden = this.lines > 0;
    this.list.parentElement?.toggleAttribute('hidden', this.lines === 0);
    setText(this.empty, run.log.length === 0 ? 'Nothing logged yet.' : 'No line fits the filter.');
  }

  private append(lines: readonly LogLine[]): void {
    let block = this.list.lastElementChild;
    for (const line of lines) {
      if (!this.matches(line)) {
        continue;
      }
      if (block === null || block.childElementCount >= BLOCK_LINES) {
        block?.classList.add('full');
        block = el('div', { class: 'log-block' });
        this.list.append(block);
      }
      block.append(logLine(line, this.send));
      this.lines += 1;
    }
  }

  /** Removes the lines that the run no longer keeps. */
  private dropBefore(seq: number): void {
    for (let block = this.list.firstElementChild; block !== null; block = this.list.firstElementChild) {
      const line = block.firstElementChild;
      if (line instanceof HTMLElement && Number(line.dataset.seq) >= seq) {
        return;
      }
      if (line === null) {
        block.remove();
      } else {
        line.remove();
        this.lines -= 1;
      }
    }
  }

  private clear(): void {
    this.list.replaceChildren();
    this.lastSeq = 0;
    this.lines = 0;
  }

  private setFilter(filter: LogFilter): void {
    this.filter = filter;
    this.matches = lineMatcher(filter);
    this.clear();
    if (this.run !== null) {
      this.render(this.run);
    }
  }

  private onScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    const atEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    // The list may grow under a position at its end; only scrolling up says that the user wants to stay.
    this.following = atEnd || (this.following && scrollTop >= this.lastTop);
    this.lastTop = scrollTop;
    this.newest.hidden = this.following;
  }

  private follow(): void {
    this.following = true;
    this.newest.hidden = true;
    this.scrollToEnd();
  }

  private scrollToEnd(): void {
    this.list.scrollTop = this.list.scrollHeight;
    // Blocks that have come into view get their true height only now, with the next layout.
    requestAnimationFrame(() => {
      if (this.following) {
        this.list.scrollTop = this.list.scrollHeight;
      }
    });
  }

  private async copy(): Promise<void> {
    await navigator.clipboard.writeText(logText((this.run?.log ?? []).filter(this.matches)));
  }
}

function logLine(line: LogLine, send: Send): HTMLElement {
  const element = el(
    'div',
    { class: `log-line ${line.level}` },
    el('time', { text: formatTime(line.time) }),
    el('span', { class: 'level', text: line.level }),
    el(
      'span',
      { class: 'text', text: line.text },
      ...(line.location === undefined ? [] : [locationLink(line.location, send)]),
    ),
  );
  element.dataset.seq = String(line.seq);
  return element;
}
