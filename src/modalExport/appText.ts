import { containerClass } from './appContainer';
import type { AppContent } from './appContent';
import { CODE, inContainer, parametersOf, takesArguments, usesPackage, warmsCuda } from './appContent';
import { TINYCATS_STAND_IN, WARM_CUDA } from './appFunctions';
import type { Entry } from './entrypoint';
import { pythonComment, pythonString } from './pythonLiteral';

const ENVIRONMENT = [
  ['PYTHONUNBUFFERED', '1'],
  ['PYTORCH_CUDA_ALLOC_CONF', 'max_split_size_mb:512'],
] as const;

/** The whole of `modal_app.py`. */
export function appText(content: AppContent): string {
  const { entry, settings } = content;
  const usesTinycats = usesPackage(content, 'tinycats');
  const modulesUsed = [
    'contextlib',
    ...(entry.kind === 'script' ? [] : ['importlib']),
    ...(entry.kind === 'script' && !usesTinycats ? [] : ['json']),
    'os',
    ...(settings.snapshot === 'gpu' ? ['random'] : []),
    ...(entry.kind === 'script' ? ['runpy'] : []),
    ...(takesArguments(entry) || usesTinycats ? ['sys'] : []),
    ...(usesTinycats ? ['types'] : []),
  ];
  const head = [
    [
      ...modulesUsed.map((name) => `import ${name}`),
      'from pathlib import Path',
      ...(parametersOf(entry).some(({ type }) => type.startsWith('Literal'))
        ? ['from typing import Literal']
        : []),
    ],
    ['import modal'],
    [
      'HERE = Path(__file__).parent',
      '',
      `app = modal.App(${pythonString(settings.app)})`,
      `outputs = modal.Volume.from_name(${pythonString(settings.outputsVolume)}, create_if_missing=True)`,
      `data = modal.Volume.from_name(${pythonString(settings.dataVolume)}, create_if_missing=True)`,
    ],
    image(content),
  ];
  const definitions = [
    ...(usesTinycats ? [TINYCATS_STAND_IN] : []),
    ...(warmsCuda(content) ? [WARM_CUDA] : []),
    containerClass(content),
    localEntrypoint(entry),
  ];
  return [
    docstring(content).join('\n'),
    ...head.map((lines) => `\n${lines.join('\n')}`),
    ...definitions.map((lines) => `\n\n${lines.join('\n')}`),
    '',
  ].join('\n');
}

function docstring({ entrypoint, appName, settings }: AppContent): string[] {
  const app = pythonComment(appName);
  return [
    `"""Trains ${pythonComment(entrypoint)} on Modal. Written by Tiny Cats; from here on it is yours to change.`,
    '',
    `    modal run ${app} --help`,
    `    modal deploy ${app}`,
    `    modal volume put ${settings.dataVolume} photos /photos`,
    `    modal volume get ${settings.outputsVolume} / outputs`,
    '',
    '"run" trains once, in an app that ends with it. A deployed app stays, makes memory snapshots and starts from them.',
    'An idle container is billed until its scaledown window has passed.',
    '"""',
  ];
}

function image({ modules, requirements, toFolder }: AppContent): string[] {
  const searchPath = modules.searchPath.map(inContainer).join(':');
  const environment = [...ENVIRONMENT, ['PYTHONPATH', searchPath] as const];
  const local = (file: string): string => (toFolder === '' ? file : `${toFolder}/${file}`);
  return [
    '# Dependencies come before the code, so that an edit builds nothing anew. A file that is read and not imported is',
    '# added like the others: .add_local_file(HERE / "classes.json", "/app/classes.json")',
    'image = (',
    '    modal.Image.debian_slim(python_version="3.12")',
    ...(requirements.length === 0
      ? []
      : ['    .uv_pip_install(', ...requirements.map((name) => `        ${pythonString(name)},`), '    )']),
    '    .env(',
    '        {',
    ...environment.map(([name, value]) => `            ${pythonString(name)}: ${pythonString(value)},`),
    '        }',
    '    )',
    `    .workdir(${pythonString(CODE)})`,
    ...[...modules.files]
      .sort()
      .map(
        (file) =>
          `    .add_local_file(HERE / ${pythonString(local(file))}, ${pythonString(inContainer(file))})`,
      ),
    ')',
  ];
}

function localEntrypoint(entry: Entry): string[] {
  if (takesArguments(entry)) {
    return [
      '@app.local_entrypoint()',
      'def main(*arguments):',
      '    print(TrainingContainer().train.remote(list(arguments)))',
    ];
  }
  const parameters = parametersOf(entry);
  const left = entry.kind === 'script' ? [] : entry.signature.left;
  return [
    ...(left.length === 0
      ? []
      : [`# Their own defaults apply, since no option can say them: ${left.join(', ')}.`]),
    '@app.local_entrypoint()',
    ...list(
      'def main(',
      parameters.map(
        ({ name, type, default: value }) => `${name}: ${type}${value === undefined ? '' : ` = ${value}`}`,
      ),
      '):',
    ),
    ...list(
      'result = TrainingContainer().train.remote(',
      parameters.map(({ name }) => `${name}=${name}`),
      ')',
    ).map((line) => `    ${line}`),
    '    print(json.dumps(result, indent=2))',
  ];
}

function list(opening: string, items: readonly string[], closing: string): string[] {
  return items.length === 0
    ? [opening + closing]
    : [opening, ...items.map((item) => `    ${item},`), closing];
}
