import { readFile, writeFile } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import * as v from 'valibot';
import type { AppSettings } from '../../modalExport/appSettings';
import { SNAPSHOTS } from '../../modalExport/appSettings';
import { MODAL_APP_FILE, exportModalApp } from '../../modalExport/exporter';
import { usualEntrypoint } from '../../modalExport/findEntrypoint';
import { DEFAULT_APP, appSettingsFrom } from '../../modalExport/fromSettings';
import type { ParameterValues } from '../../protocol/parameters';
import { parse } from '../../protocol/schema';
import { GPUS } from '../../targets/modal/gpus';
import type { Command } from '../command';
import { CommandError, ExitCode, UsageError } from '../errors';
import type { Option } from '../options';
import type { Settings } from '../settings';
import { flag } from '../settings';
import { jsonLine, plain } from '../text';

const ENTRYPOINT: Option = {
  spec: {
    name: 'entrypoint',
    type: 'text',
    default: '',
    description: 'What trains, like src/train.py:train; the default is the function "train" of a train.py',
  },
  placeholder: 'FILE:NAME',
};

const OUTPUT = {
  spec: { name: 'output', type: 'text', default: MODAL_APP_FILE, description: 'File to write' },
  placeholder: 'FILE',
} as const satisfies Option;

const GPU = {
  spec: { name: 'gpu', type: 'choice', default: 'T4', choices: [...GPUS], description: 'Kind of GPU' },
} as const satisfies Option;

const SNAPSHOT = {
  spec: {
    name: 'snapshot',
    type: 'choice',
    default: 'memory',
    choices: [...SNAPSHOTS],
    description:
      'What a deployed app starts from: nothing, imported packages, or (alpha) the GPU’s memory too',
  },
} as const satisfies Option;

const APP = {
  spec: { name: 'app', type: 'text', default: DEFAULT_APP, description: 'Name of the app on Modal' },
  placeholder: 'NAME',
} as const satisfies Option;

const FORCE: Option = {
  spec: {
    name: 'force',
    type: 'boolean',
    default: false,
    description: 'Replace a file that is there already',
  },
};

export const exportModalCommand: Command = {
  name: 'export-modal',
  summary: 'Write a Modal app that trains your own Python code: "modal run modal_app.py"',
  details: [
    'The code is read and not run. The app takes along the files that the entrypoint imports, pins its packages ' +
      '(requirements.txt, else .venv, else known versions) and has the entrypoint’s parameters as its options.',
    '--timeout, --scaledown-window (2 to 1200 s) and the options of retries become the app’s.',
  ],
  options: [ENTRYPOINT, OUTPUT, GPU, SNAPSHOT, APP, FORCE],
  run: async ({ bundleDir, cwd, terminal }, { settings, given }) => {
    const entrypoint = textValue(given, ENTRYPOINT) || usualEntrypoint(cwd);
    if (entrypoint === undefined) {
      throw new UsageError(
        'No train.py was found. Give --entrypoint, like --entrypoint src/train.py:train, in the folder of your code.',
      );
    }
    const path = resolve(cwd, textValue(given, OUTPUT));
    const appFile = relative(cwd, path).split(sep).join('/');
    const app = await exportModalApp(bundleDir, {
      folder: cwd,
      entrypoint,
      appFile,
      settings: appSettings(settings, given),
    }).catch((error: unknown) => {
      throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error });
    });
    await write(path, app.text, flag(given, 'force'));
    const { files, requirements, notes } = app;
    if (settings.json) {
      terminal.line(jsonLine({ file: path, entrypoint, files, requirements, notes }));
      return ExitCode.done;
    }
    notes.forEach((text) => terminal.message(plain(text)));
    terminal.line(
      `${plain(appFile)} trains ${plain(entrypoint)} with ${files.length === 1 ? 'that file' : `${files.length} files`} ` +
        `and ${requirements.length === 0 ? 'no packages' : requirements.join(', ')}. Run it with: modal run ${plain(appFile)}`,
    );
    return ExitCode.done;
  },
};

function appSettings({ target, container }: Settings, given: ParameterValues): AppSettings {
  const settings = appSettingsFrom(target, container);
  const chosen = (option: Option, otherwise: string): string => String(given[option.spec.name] ?? otherwise);
  return {
    ...settings,
    app: chosen(APP, settings.app),
    gpu: chosen(GPU, settings.gpu),
    snapshot: parse(v.picklist(SNAPSHOTS), chosen(SNAPSHOT, settings.snapshot), '--snapshot'),
  };
}

async function write(path: string, text: string, replace: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (exists && (await readFile(path, 'utf8').catch(() => undefined)) === text) {
      return;
    }
    if (exists) {
      throw new CommandError(`${path} is there already. Give --force to replace it, or another --output.`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} cannot be written (${reason}). Give another --output.`);
  }
}

function textValue(given: ParameterValues, { spec }: Option): string {
  return String(given[spec.name] ?? spec.default);
}
