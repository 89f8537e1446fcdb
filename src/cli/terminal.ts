import { displayWidth } from './text';

/** Where text goes; a part of Node's streams. */
export interface Output {
  write(text: string): unknown;
}

export interface TerminalOptions {
  stdout: Output;
  stderr: Output;
  /** Whether stdout is a terminal that can redraw a line. */
  isTTY: boolean;
  colours: boolean;
  /** Width now; it changes with the window. */
  columns: () => number;
}

const CLEAR_LINE = '\r\u001b[K';
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
export type Style = keyof typeof CODES;

/** What the commands write to. On a terminal a progress line stays below all that is written. */
export class Terminal {
  private progressText = '';
  private readonly closedController = new AbortController();

  constructor(private readonly options: TerminalOptions) {}

  get isTTY(): boolean {
    return this.options.isTTY;
  }

  get columns(): number {
    return this.options.columns();
  }

  /** Aborted once nobody reads stdout any more (`| head`, a closed window). */
  get closed(): AbortSignal {
    return this.closedController.signal;
  }

  /** Writes a line to stdout. */
  line(text = ''): void {
    this.above(() => this.write(`${text}\n`));
  }

  /** Writes a line to stderr. */
  message(text: string): void {
    this.above(() => this.options.stderr.write(`${text}\n`));
  }

  /** Draws the progress line anew; it must fit, see `columns`. Does nothing where it cannot be redrawn. */
  progress(text: string): void {
    if (this.isTTY) {
      this.progressText = displayWidth(text) < this.columns ? text : '';
      this.write(CLEAR_LINE + this.progressText);
    }
  }

  clearProgress(): void {
    if (this.progressText !== '') {
      this.progressText = '';
      this.write(CLEAR_LINE);
    }
  }

  style(text: string, ...styles: Style[]): string {
    return this.options.colours && text !== ''
      ? `${styles.map((style) => `\u001b[${CODES[style]}m`).join('')}${text}\u001b[0m`
      : text;
  }

  /** To be called when stdout cannot be written any more: from then on it swallows what it is given. */
  close(): void {
    this.closedController.abort();
  }

  private above(write: () => void): void {
    const { progressText } = this;
    if (progressText === '') {
      write();
      return;
    }
    this.write(CLEAR_LINE);
    write();
    this.write(progressText);
  }

  private write(text: string): void {
    if (!this.closed.aborted) {
      this.options.stdout.write(text);
    }
  }
}

/** The terminal of this process. Honours NO_COLOR (https://no-color.org) and TERM=dumb. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const isTTY = stdout.isTTY && env.TERM !== 'dumb';
  const terminal = new Terminal({
    stdout,
    stderr,
    isTTY,
    colours: isTTY && (env.NO_COLOR === undefined || env.NO_COLOR === ''),
    columns: () => (stdout.columns > 0 ? stdout.columns : 80),
  });
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    terminal.close();
    // A reader that went away is no failure: that is how `| head` works.
    if (error.code !== 'EPIPE' && error.code !== 'EIO') {
      terminal.message(`The output could not be written: ${error.message}`);
      process.exitCode ??= 1;
    }
  });
  // Nobody is left to tell.
  stderr.on('error', () => undefined);
  return terminal;
}
