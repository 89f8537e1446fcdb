import { parse } from '../../protocol/schema';
import * as v from 'valibot';
import type { SshConfig } from './config';
import { quotePath } from './shell';

/** Oldest major version of Node that the container runs on. */
export const OLDEST_NODE = 20;

/** Places of Node beside PATH, which a command over ssh often has only the half of. Nothing in them is a secret. */
const NODE_PLACES = [
  '"$HOME"/.nvm/versions/node/*/bin/node',
  '"$HOME"/.volta/bin/node',
  '"$HOME"/.local/share/fnm/node-versions/*/installation/bin/node',
  '"$HOME"/.local/bin/node',
  '/usr/local/bin/node',
  '/opt/homebrew/bin/node',
  '/snap/bin/node',
  '"$HOME"/.vscode-server/cli/servers/*/server/node',
  '"$HOME"/.vscode-server/bin/*/node',
];

const factsSchema = v.object({
  home: v.string(),
  system: v.string(),
  arch: v.string(),
  /** Absolute path of the code of this version, and whether it is there whole. */
  code: v.string(),
  present: v.picklist(['yes', 'no']),
  /** Whether anything was ever kept there. */
  used: v.picklist(['yes', 'no']),
  /** Path of a Node that will do; empty without one. */
  node: v.string(),
  /** Version of a Node that is too old, where there is no other. */
  oldNode: v.string(),
  npm: v.string(),
});
/** The far side as it is found. */
export type FarFacts = v.InferOutput<typeof factsSchema>;

/** A script that says what is there. It changes nothing. */
export function lookScript({ folder, node }: SshConfig, hash: string): string {
  const root = quotePath(folder);
  const candidates = [
    ...(node === undefined ? [] : [quotePath(node)]),
    '"$(command -v node)"',
    `${root}/node/node_modules/node/bin/node`,
    ...NODE_PLACES,
  ];
  return [
    `r=${root}`,
    `c="$r/code/${hash}"`,
    'say() { printf "%s=%s\\n" "$1" "$2"; }',
    'n=; o=',
    `for p in ${candidates.join(' ')}; do [ -x "$p" ] || continue; w=$("$p" -p process.versions.node 2>/dev/null) || continue; ` +
      `if [ "\${w%%.*}" -ge ${OLDEST_NODE} ]; then n=$p; break; else o=$w; fi; done`,
    'say home "$HOME"; say system "$(uname -s)"; say arch "$(uname -m)"; say code "$c"',
    'if [ -f "$c/.complete" ]; then say present yes; else say present no; fi',
    'if [ -d "$r" ]; then say used yes; else say used no; fi',
    'say node "$n"; say oldNode "$o"; say npm "$(command -v npm)"',
  ].join('; ');
}

export function readFacts(output: string): FarFacts {
  return parse(factsSchema, keyedLines(output), 'answer of the other machine');
}

/** Lines like `name=value`; others are what a login shell said. */
export function keyedLines(output: string): Record<string, string> {
  return Object.fromEntries(
    output.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
}

/** Unpacks the code from stdin beside its place and moves it there whole; several may do so at once. */
export function unpackScript({ folder }: SshConfig, hash: string): string {
  return [
    'set -e; umask 077',
    `r=${quotePath(folder)}; c="$r/code/${hash}"`,
    'mkdir -p "$r/code"; t=$(mktemp -d "$r/code/.new-XXXXXX")',
    'gzip -dc | tar -xf - -C "$t"; : > "$t/.complete"',
    // Somebody else may have been faster; a leftover that is not whole makes room.
    'if [ ! -f "$c/.complete" ]; then rm -rf "$c"; mv "$t" "$c" 2>/dev/null || [ -f "$c/.complete" ]; fi',
    'rm -rf "$t"; echo sent=yes',
  ].join('; ');
}

/** Installs Node through the far side's npm, into the target's own folder. */
export function installNodeScript({ folder }: SshConfig, major: number): string {
  return `umask 077; r=${quotePath(folder)}; mkdir -p "$r/node" && cd "$r/node" && npm install --no-save --no-audit --no-fund --prefix . node@${major} >&2 && echo installed=yes`;
}
