import { lstat, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';

/**
 * The absolute path of `path` inside `root`; neither `..` nor a symbolic link leads out.
 * @param path relative to `root`, or absolute inside it; it need not exist
 * @throws Error if it leads out of `root`
 */
export async function confine(root: string, path: string): Promise<string> {
  const home = await realpath(root);
  const wanted = resolve(home, path);
  const real = await realpathOfExisting(wanted);
  for (const candidate of [wanted, real]) {
    const inside = relative(home, candidate);
    if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new Error(`"${path}" is not inside ${root}`);
    }
  }
  return real;
}

/** Follows the links of the part of `path` that exists. */
async function realpathOfExisting(path: string): Promise<string> {
  try {
    await lstat(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : resolve(await realpathOfExisting(parent), relative(parent, path));
  }
  return realpath(path);
}
