import { stripVTControlCharacters } from 'node:util';

// Control characters, and the marks that turn the direction of writing around.
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const DOUBLE_WIDTH =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;
const segmenter = new Intl.Segmenter();

/** Text from data (names, paths, messages) as one line that cannot steer the terminal. */
export function plain(text: string): string {
  return stripVTControlCharacters(text.replace(/[\t\n\r]+/g, ' ')).replace(UNPRINTABLE, '');
}

/** As `plain`, but line breaks stay. */
export function plainLines(text: string): string {
  return text.split(/\r?\n/).map(plain).join('\n');
}

/** One line of JSON. Characters that a terminal could obey are escaped, so that the value stays what it is. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Columns that the text takes on a terminal, without colours. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(stripVTControlCharacters(text))) {
    width += NO_WIDTH.test(segment) ? 0 : DOUBLE_WIDTH.test(segment) ? 2 : 1;
  }
  return width;
}

/** Pads to `width` columns. */
export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + space : space + text;
}

/** Breaks a paragraph at spaces into lines of at most `width` columns, longer words apart. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** The parameter `batch_size` is written `--batch-size`. */
export function optionName(parameterName: string): string {
  return parameterName.replaceAll('_', '-');
}
