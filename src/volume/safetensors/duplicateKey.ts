const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;

/** Index of the quote that ends the string whose content begins at `start`. */
function stringEnd(json: string, start: number): number {
  let at = start;
  while (at < json.length && json.charCodeAt(at) !== quote) {
    at += json.charCodeAt(at) === backslash ? 2 : 1;
  }
  return at;
}

/**
 * The first key that occurs twice in one object of `json`, or undefined. `JSON.parse` keeps the last silently, which
 * would let two readers see two different files.
 * @param json text that `JSON.parse` accepts
 */
export function findDuplicateKey(json: string): string | undefined {
  // One entry per open bracket; null for an array.
  const open: (Set<string> | null)[] = [];
  let lastString = '';
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case quote: {
        const end = stringEnd(json, at + 1);
        lastString = json.slice(at, end + 1);
        at = end;
        break;
      }
      case colon: {
        const key: unknown = JSON.parse(lastString);
        const keys = open.at(-1);
        if (keys && typeof key === 'string') {
          if (keys.has(key)) {
            return key;
          }
          keys.add(key);
        }
        break;
      }
      case openBrace:
        open.push(new Set());
        break;
      case openBracket:
        open.push(null);
        break;
      case closeBrace:
      case closeBracket:
        open.pop();
        break;
      default:
    }
  }
  return undefined;
}
