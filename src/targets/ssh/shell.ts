/**
 * The command that is run on the far side, whatever shell its user has (sh, fish and csh read it alike): it takes the
 * script from the first line of its stdin, and the rest of stdin is the script's.
 */
export const REMOTE_COMMAND = `exec sh -c 'IFS= read -r s && eval "$s"'`;

/** A word of a script. @throws Error if it cannot be part of one line */
export function quote(word: string): string {
  if (/[\n\0]/.test(word)) {
    throw new Error(`${JSON.stringify(word)} cannot be used on the other machine: it has a line break in it`);
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A path of the far side as a word; a leading `~/` is the home of the user there. */
export function quotePath(path: string): string {
  return path === '~' || path.startsWith('~/') ? `"$HOME"${quote(path.slice(1))}` : quote(path);
}
