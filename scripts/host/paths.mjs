/** Where the repository keeps what the scripts make. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const scriptsDir = dirname(dirname(fileURLToPath(import.meta.url)));
export const repositoryRoot = dirname(scriptsDir);
/** Everything a build or a test run writes, apart from the bundles in dist; git ignores it. */
export const outDir = join(repositoryRoot, 'out');
export const vsixPath = join(outDir, 'tiny-cats.vsix');
