import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DataError, errorText, quote, systemErrorCode } from './dataError';
import { listImages, type FoundImage } from './listImages';

/** One image file of an {@link ImageFolder}. */
export type ImageFile = {
  /** Absolute path. */
  readonly path: string;
  /** Path inside the folder, with `/` on every system. */
  readonly relativePath: string;
  /** Index into `classes`. */
  readonly label: number;
  readonly bytes: number;
  readonly mtimeMs: number;
};

/** The metadata of a data set in the ImageFolder layout: one sub folder of images per class. */
export type ImageFolder = {
  readonly dir: string;
  /** Names of the class folders that hold images, by code point, as torchvision sorts them. */
  readonly classes: readonly string[];
  /** By class, then by relative path: the same order on every machine. */
  readonly files: readonly ImageFile[];
  readonly countsPerClass: readonly number[];
  /** Files that are neither images nor hidden; they are left alone. */
  readonly ignored: number;
  /** What the user should know, although training is possible. */
  readonly warnings: readonly string[];
  /** SHA-256 over relative paths, sizes and modification times. */
  readonly fingerprint: string;
};

const expected =
  'Expected one sub folder of images (.jpg, .jpeg, .png, .webp) per class, such as cat/ and other/.';

/**
 * Lists the images of `dir`, without reading them. Hidden files, `__MACOSX` and `Thumbs.db` are passed over, symbolic
 * links are followed once.
 *
 * @param options `minimumClasses`: two are needed to train, one is enough to evaluate
 * @throws {DataError} if the folder cannot be used; the message says why and what to do.
 */
export async function scanImageFolder(
  dir: string,
  { minimumClasses = 2 }: { readonly minimumClasses?: 1 | 2 } = {},
): Promise<ImageFolder> {
  const root = resolve(dir);
  const top = await readTop(root);
  const warnings: string[] = [];
  const classes: string[] = [];
  const countsPerClass: number[] = [];
  const files: ImageFile[] = [];
  const emptyClasses: string[] = [];
  let ignored = top.ignored;

  for (const name of top.folders) {
    const found = await listImages(root, name);
    ignored += found.ignored;
    if (found.images.length === 0) {
      emptyClasses.push(name);
      continue;
    }
    const label = classes.push(name) - 1;
    countsPerClass.push(found.images.length);
    for (const image of found.images) files.push(toFile(root, label, image));
  }

  if (classes.length < minimumClasses) refuseFewClasses(root, classes, emptyClasses, top.images);
  if (emptyClasses.length > 0) {
    warnings.push(`Without any image, and left out: ${emptyClasses.map(quote).join(', ')}.`);
  }
  if (top.images > 0) {
    warnings.push(`${top.images} images directly in ${quote(root)} belong to no class and were left out.`);
    ignored += top.images;
  }
  return { dir: root, classes, files, countsPerClass, ignored, warnings, fingerprint: fingerprint(files) };
}

function toFile(root: string, label: number, image: FoundImage): ImageFile {
  return { path: join(root, image.relativePath), label, ...image };
}

function fingerprint(files: readonly ImageFile[]): string {
  const hash = createHash('sha256');
  let lines = '';
  for (const file of files) lines += `${file.relativePath}\0${file.bytes}\0${file.mtimeMs}\n`;
  return hash.update(lines).digest('hex');
}

/** The class folders of `root` in order, and how many images and other files lie beside them. */
async function readTop(root: string): Promise<{ folders: string[]; images: number; ignored: number }> {
  let listing;
  try {
    if (!(await stat(root)).isDirectory()) {
      throw new DataError(
        'not-a-folder',
        `The data folder ${quote(root)} is a file, not a folder. ${expected}`,
      );
    }
    listing = await listImages(root, '', { nested: false });
    if (listing.entries === 0 && (await readdir(root)).length === 0) {
      throw new DataError('empty-folder', `The data folder ${quote(root)} is empty. ${expected}`);
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
      throw new DataError(
        'missing-folder',
        `The data folder ${quote(root)} does not exist. Check the path or choose another folder. ${expected}`,
        { cause: error },
      );
    }
    throw new DataError(
      'not-readable',
      `The data folder ${quote(root)} cannot be read (${errorText(error)}). Check its permissions. ${expected}`,
      { cause: error },
    );
  }
  return { folders: listing.folders, images: listing.images.length, ignored: listing.ignored };
}

function refuseFewClasses(
  root: string,
  classes: string[],
  emptyClasses: string[],
  looseImages: number,
): never {
  if (classes.length === 0 && looseImages > 0) {
    throw new DataError(
      'no-class-folders',
      `The data folder ${quote(root)} holds ${looseImages} images directly. ${expected} Move each image into its class's folder.`,
    );
  }
  if (classes.length === 0 && emptyClasses.length === 0) {
    throw new DataError('no-class-folders', `The data folder ${quote(root)} has no sub folders. ${expected}`);
  }
  const found =
    classes.length === 0 ? 'holds no images' : `has images of one class only, ${classes.map(quote).join()}`;
  const empty = emptyClasses.length === 0 ? '' : ` Without any image: ${emptyClasses.map(quote).join(', ')}.`;
  throw new DataError(
    'too-few-classes',
    `The data folder ${quote(root)} ${found}.${empty} ${expected} Add images of at least two classes.`,
  );
}
