import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A fake of NVIDIA's program, which needs a GPU: it says what the real one says to the same question. */
const FAKE_NVIDIA_SMI = `#!/bin/sh
echo "37, 1024, 15360, 535.104.05, Tesla T4"
case "$*" in *--loop*) while sleep 0.2; do echo "80, 2048, 15360, 535.104.05, Tesla T4"; done;; esac
`;

/** Puts the fake into the folder `dir`. @returns a PATH on which it is found first */
export function pathWithFakeNvidiaSmi(dir: string): string {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'nvidia-smi');
  writeFileSync(file, FAKE_NVIDIA_SMI);
  chmodSync(file, 0o755);
  return `${dir}${delimiter}${process.env.PATH ?? ''}`;
}
