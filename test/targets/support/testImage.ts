import Dockerode from 'dockerode';
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { pack } from 'tar-stream';
import { followProgress } from '../../../src/targets/docker/progressLines';

const run = promisify(execFile);
/** A user as the shipped image has one. */
const USER = 1000;
const CONTAINERFILE = `FROM scratch\nCOPY rootfs/ /\nUSER ${USER}\nENTRYPOINT ["node"]\n`;

/**
 * Builds an image of this machine's Node and the libraries it is linked with: tests need no registry. It is not the image
 * that users get (containers/Containerfile), which has the same user, and Debian below.
 * @returns its name
 */
export async function buildTestImage(socketPath: string): Promise<string> {
  const name = `localhost/tiny-cats-test:node-${process.versions.node}`;
  const docker = new Dockerode({ socketPath, host: undefined, protocol: 'http' });
  const context = pack();
  const build = docker.buildImage(context, { t: name, dockerfile: 'Containerfile' });
  context.entry({ name: 'Containerfile' }, CONTAINERFILE);
  context.entry(
    { name: 'rootfs/etc/passwd' },
    `root:x:0:0::/:/bin/sh\ncats:x:${USER}:${USER}::/tmp:/bin/sh\n`,
  );
  context.entry({ name: 'rootfs/etc/nsswitch.conf' }, 'hosts: files dns\n');
  context.entry({ name: 'rootfs/tmp/', type: 'directory', mode: 0o1777 });
  for (const [path, file] of await nodeAndLibraries()) {
    context.entry({ name: `rootfs${path}`, mode: 0o755 }, await readFile(file));
  }
  context.finalize();
  await followProgress(await build, 'Building the test image', () => undefined);
  return name;
}

/**
 * The test image with root as its user: CRIU reads the limits of another user's processes by CAP_SYS_RESOURCE alone, which
 * a root of a sandbox may lack.
 * @returns its name
 */
export async function buildRootImage(socketPath: string, image: string): Promise<string> {
  const name = `${image}-root`;
  const docker = new Dockerode({ socketPath, host: undefined, protocol: 'http' });
  const context = pack();
  const build = docker.buildImage(context, { t: name, dockerfile: 'Containerfile' });
  context.entry({ name: 'Containerfile' }, `FROM ${image}\nUSER 0\n`);
  context.finalize();
  await followProgress(await build, 'Building the test image', () => undefined);
  return name;
}

/** Paths in the image, and the files here. */
async function nodeAndLibraries(): Promise<Map<string, string>> {
  const node = await realpath(process.execPath);
  const files = new Map([['/usr/bin/node', node]]);
  const { stdout } = await run('ldd', [node]);
  for (const [path] of stdout.matchAll(/\/[^ ]+\.so[^ ]*/g)) {
    files.set(path, await realpath(path));
  }
  // Found by its folder where the loader has no cache to look into.
  if ([...files.keys()].some((path) => dirname(path).startsWith('/opt'))) {
    throw new Error(
      'Node is linked with libraries in unusual places; the test image cannot be built from it.',
    );
  }
  return files;
}
