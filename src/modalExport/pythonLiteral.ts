const NAMED = new Map([
  [' ', ' '],
  ['\\', '\\\\'],
  ['"', '\\"'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);
const LAST_OF_FOUR_DIGITS = 0xffff;

/**
 * The text as a string literal of Python, which stays what it is whatever it holds: quotes, backslashes, line ends and
 * what cannot be seen are escaped, letters of any script are not.
 * @throws Error for half of a surrogate pair, which is no character
 */
export function pythonString(text: string): string {
  const escaped = text.replace(
    /["\\\p{C}\p{Z}]/gu,
    (character) => NAMED.get(character) ?? escapeCharacter(character),
  );
  return `"${escaped}"`;
}

/** The text as it may stand in a comment or docstring, on one line. */
export function pythonComment(text: string): string {
  return pythonString(text).slice(1, -1);
}

/** A number as a float literal of Python: `10.0`, not `10`. */
export function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (/\p{Cs}/u.test(character)) {
    throw new Error(`Half a character (${code.toString(16)}): no file or function has such a name.`);
  }
  const [letter, digits] = code > LAST_OF_FOUR_DIGITS ? ['U', 8] : ['u', 4];
  return `\\${letter}${code.toString(16).padStart(digits, '0')}`;
}
