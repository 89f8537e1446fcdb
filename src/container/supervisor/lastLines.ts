import { StringDecoder } from 'node:string_decoder';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 500;

/** The last lines of a stream of text. */
export class LastLines {
  private readonly decoder = new StringDecoder('utf8');
  private readonly lines: string[] = [];
  private open = '';

  add(data: Buffer): void {
    const parts = (this.open + this.decoder.write(data)).split('\n');
    // A line without an end keeps its beginning only.
    this.open = (parts.pop() ?? '').slice(0, MAX_LINE_LENGTH);
    for (const line of parts) {
      this.push(line);
    }
  }

  /** Without empty lines; empty if there was none. */
  get text(): string {
    return [...this.lines, ...(this.open.trim() === '' ? [] : [this.open])].slice(-MAX_LINES).join('\n');
  }

  private push(line: string): void {
    const text = line.replace(/\r$/, '').slice(0, MAX_LINE_LENGTH);
    if (text.trim() !== '') {
      this.lines.push(text);
      if (this.lines.length > MAX_LINES) {
        this.lines.shift();
      }
    }
  }
}
