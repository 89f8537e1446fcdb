import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What is installed by another name than it is imported by. */
const DISTRIBUTIONS = new Map([
  ['PIL', 'pillow'],
  ['cv2', 'opencv-python-headless'],
  ['skimage', 'scikit-image'],
  ['sklearn', 'scikit-learn'],
  ['yaml', 'pyyaml'],
  ['dotenv', 'python-dotenv'],
  ['dateutil', 'python-dateutil'],
  ['bs4', 'beautifulsoup4'],
]);

/** Versions that fit each other, for what nothing in the folder says. */
const KNOWN_PINS = new Map([
  ['torch', '2.5.1'],
  ['torchvision', '0.20.1'],
  ['torchaudio', '2.5.1'],
  ['numpy', '2.1.3'],
  ['pillow', '11.0.0'],
  ['tqdm', '4.67.1'],
]);

/** What has to be there as well, though nothing imports it. */
const COMPANIONS = new Map([['torch', ['numpy']]]);

export interface Pins {
  /** `name==version`, or the bare name where no version is known; by name. */
  requirements: string[];
  /** Those without a version. */
  unpinned: string[];
}

/**
 * The packages' versions: as requirements.txt pins them, else as the folder's `.venv` has them, else known ones.
 * @param packages first names of imported modules
 * @param optional the same, of what is taken along only where a version is known
 */
export function pinPackages(folder: string, packages: readonly string[], optional: readonly string[]): Pins {
  const pinned = new Map([...KNOWN_PINS, ...installed(join(folder, '.venv')), ...required(folder)]);
  const names = new Set(packages.map(distributionOf));
  optional
    .map(distributionOf)
    .filter((name) => pinned.has(name))
    .forEach((name) => names.add(name));
  for (const name of [...names]) {
    COMPANIONS.get(name)?.forEach((companion) => names.add(companion));
  }
  // The container brings Modal's client along, and the app what stands for tinycats.
  names.delete('modal');
  names.delete('tinycats');
  const sorted = [...names].sort();
  return {
    requirements: sorted.map((name) => {
      const version = pinned.get(name);
      return version === undefined ? name : `${name}==${version}`;
    }),
    unpinned: sorted.filter((name) => !pinned.has(name)),
  };
}

/** What requirements.txt pins; a local version (`+cu124`) is of the index it came from, and left off. */
function required(folder: string): [string, string][] {
  const lines = attempt(() => readFileSync(join(folder, 'requirements.txt'), 'utf8'), '').split(/\r?\n/);
  return lines.flatMap((line): [string, string][] => {
    const [, name, version] =
      /^\s*([\w.-]+)\s*(?:\[[^\]]*\])?\s*==\s*([\w.!-]+)(?:\+[\w.]+)?\s*(?:[;#].*)?$/.exec(line) ?? [];
    return name === undefined || version === undefined ? [] : [[normalise(name), version]];
  });
}

/** What a virtual environment has installed, read from its folders' names. */
function installed(environment: string): [string, string][] {
  const lib = join(environment, 'lib');
  const folders = [
    join(environment, 'Lib', 'site-packages'),
    ...attempt(() => readdirSync(lib), []).map((python) => join(lib, python, 'site-packages')),
  ];
  return folders.flatMap((folder) =>
    attempt(() => readdirSync(folder), []).flatMap((entry): [string, string][] => {
      const [, name, version] = /^(.+?)-([^-+]+)(?:\+[^-]+)?\.dist-info$/.exec(entry) ?? [];
      return name === undefined || version === undefined ? [] : [[normalise(name), version]];
    }),
  );
}

function distributionOf(module: string): string {
  return DISTRIBUTIONS.get(module) ?? normalise(module);
}

/** Names of packages are the same whatever their case and with `_`, `.` or `-`. */
function normalise(name: string): string {
  return name.toLowerCase().replace(/[._-]+/g, '-');
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
