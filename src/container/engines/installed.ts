import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How to get an engine that npm installs. */
export const installHint = (engine: 'tensorflow' | 'webgpu'): string =>
  engine === 'tensorflow'
    ? 'run "Tiny Cats: Install CUDA Engine" or `tiny-cats install-engine`'
    : 'run `tiny-cats install-engine webgpu`';

/** Version of a package that the user installed for an engine; undefined where it is not installed, or damaged. */
export function installedVersion(engineHome: string, packageName: string): string | undefined {
  const path = join(engineHome, 'node_modules', packageName, 'package.json');
  if (!existsSync(path)) return undefined;
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return undefined;
  return typeof manifest.version === 'string' ? manifest.version : undefined;
}
