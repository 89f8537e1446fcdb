import { basename, dirname, relative, resolve, sep } from 'node:path';
import type { AppSettings } from './appSettings';
import { checkSettings } from './appSettings';
import { appText } from './appText';
import { parseEntrypoint, readEntry } from './entrypoint';
import { ModalExportError } from './exportError';
import { findLocalModules } from './localModules';
import { pinPackages } from './pins';

export interface ExportRequest {
  /** Folder of the user's code. */
  folder: string;
  /** Like `src/train.py:train`. */
  entrypoint: string;
  /** Name of the file that is written, in the folder. */
  appFile: string;
  settings: AppSettings;
}

export interface ExportedApp {
  text: string;
  /** What of the folder it takes along. */
  files: string[];
  requirements: string[];
  /** What the user should look at, each a sentence. */
  notes: string[];
}

const VOLUME_PARAMETER =
  /(?:^|_)(?:data|dataset|output|outputs|out|checkpoint|checkpoints|save)(?:_?(?:dir|path|folder|root))?$/;
const ON_VOLUME = /^["'](?:\.\/)?(?:data|outputs)(?:\/|["']$)|^["']\/(?:data|outputs)\b/;

/**
 * Makes the Modal app of a training function, without running any of it.
 * @throws ModalExportError in words for the user
 */
export function exportModalApp({ folder, entrypoint, appFile, settings }: ExportRequest): ExportedApp {
  const checked = checkSettings(settings);
  const { file, target } = parseEntrypoint(entrypoint);
  if (resolve(folder, file) === resolve(folder, appFile)) {
    throw new ModalExportError(`The app cannot be written to ${appFile}, which is the entrypoint itself.`);
  }
  const modules = findLocalModules(folder, file);
  const entry = readEntry(modules.entry, target);
  const { requirements, unpinned } = pinPackages(folder, modules.packages, modules.optionalPackages);
  const text = appText({
    settings: checked,
    entrypoint,
    entry,
    modules,
    requirements,
    appName: basename(appFile),
    toFolder: relative(dirname(resolve(folder, appFile)), folder)
      .split(sep)
      .join('/'),
  });
  const parameters = entry.kind === 'script' ? [] : entry.signature.parameters;
  const elsewhere = parameters.filter(
    ({ name, default: value }) =>
      value !== undefined && /^["']./.test(value) && VOLUME_PARAMETER.test(name) && !ON_VOLUME.test(value),
  );
  return {
    text,
    files: modules.files,
    requirements,
    notes: [
      ...unpinned.map(
        (name) => `${name} has no pinned version: pin it in requirements.txt, or in ${appFile} itself.`,
      ),
      ...elsewhere.map(
        ({ name, default: value }) =>
          `The default of ${name}, ${value ?? ''}, is on no volume: give a path in /data or /outputs.`,
      ),
    ],
  };
}
