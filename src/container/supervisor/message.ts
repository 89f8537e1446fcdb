import { MAX_MESSAGE_DEPTH } from '../../protocol/rpc';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Reads a client's message.
 * @returns undefined if it is no JSON, or nested deeper than any message of the protocol
 */
export function readMessage(text: string): unknown {
  if (isTooDeep(text)) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Looked for before parsing: what walks over a parsed value may go as deep as the value does. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at + 1);
    } else if (OPENING.has(code)) {
      depth += 1;
      if (depth > MAX_MESSAGE_DEPTH) {
        return true;
      }
    } else if (CLOSING.has(code)) {
      depth -= 1;
    }
  }
  return false;
}

/** Where the string ends that begins at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = from; ;) {
    const end = text.indexOf('"', at);
    if (end === -1) {
      return text.length;
    }
    let before = end - 1;
    while (before >= from && text.charCodeAt(before) === BACKSLASH) {
      before -= 1;
    }
    if ((end - 1 - before) % 2 === 0) {
      return end;
    }
    at = end + 1;
  }
}
