/** Packages what scripts/build.mjs built as out/tiny-cats.vsix; needs no network. */
import { mkdir, stat } from 'node:fs/promises';
import { createVSIX } from '@vscode/vsce';
import { outDir, repositoryRoot, vsixPath } from './host/paths.mjs';

await mkdir(outDir, { recursive: true });
await createVSIX({
  cwd: repositoryRoot,
  packagePath: vsixPath,
  // Everything is bundled.
  dependencies: false,
  allowMissingRepository: true,
  rewriteRelativeLinks: false,
});
const { size } = await stat(vsixPath);
console.log(`${vsixPath}: ${(size / 1e6).toFixed(2)} MB`);
