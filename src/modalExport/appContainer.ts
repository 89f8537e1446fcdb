import type { AppContent } from './appContent';
import { inContainer, parametersOf, takesArguments, usesPackage, warmsCuda } from './appContent';
import type { Entry } from './entrypoint';
import { pythonFloat, pythonString } from './pythonLiteral';

/** The class whose enter hooks warm a container, and whose method trains. */
export function containerClass(content: AppContent): string[] {
  const { settings } = content;
  const hooks = settings.snapshot === 'gpu' ? hooksInGpuSnapshot(content) : hooksOutsideSnapshot(content);
  return [
    '@app.cls(',
    ...[
      'image=image,',
      ...(settings.gpu === 'none' ? [] : [`gpu=${pythonString(settings.gpu)},`]),
      'volumes={"/outputs": outputs, "/data": data},',
      `timeout=${settings.timeoutS},`,
      `scaledown_window=${settings.scaledownWindowS},`,
      'retries=modal.Retries(',
      `    max_retries=${settings.retries.maxRetries},`,
      `    backoff_coefficient=${pythonFloat(settings.retries.backoffCoefficient)},`,
      `    initial_delay=${pythonFloat(settings.initialDelayS)},`,
      `    max_delay=${pythonFloat(settings.maxDelayS)},`,
      '),',
      ...(settings.snapshot === 'none' ? [] : ['enable_memory_snapshot=True,']),
      ...(settings.snapshot === 'gpu' ? ['experimental_options={"enable_gpu_snapshot": True},'] : []),
    ].map(indent),
    ')',
    'class TrainingContainer:',
    ...[...hooks, '', ...trainMethod(content)].map(indent),
  ];
}

/** Without a GPU in the snapshot, what may ask for one has to wait until the container is awake. */
function hooksOutsideSnapshot(content: AppContent): string[] {
  return [
    ...beforeSnapshot(
      '"""Packages, which need no GPU: a memory snapshot holds them, so that later containers skip it."""',
      [...importPackages(content)],
    ),
    '',
    ...afterSnapshot(
      '"""Once in each container. Your own modules may look for the GPU as they are imported."""',
      [...LINK_VOLUMES, ...(warmsCuda(content) ? ['warm_cuda()'] : []), ...importOwn(content)],
    ),
  ];
}

function hooksInGpuSnapshot(content: AppContent): string[] {
  return [
    ...beforeSnapshot(
      '"""Everything, the GPU\'s memory included, is in the snapshot: later containers begin behind this method."""',
      [
        ...importPackages(content),
        ...LINK_VOLUMES,
        ...(warmsCuda(content) ? ['warm_cuda()'] : []),
        ...importOwn(content),
      ],
    ),
    '',
    ...afterSnapshot(
      '"""Random numbers of its own for each container: the snapshot holds the state of one."""',
      [
        ...LINK_VOLUMES,
        'random.seed()',
        ...(usesPackage(content, 'torch') ? ['', 'import torch', '', 'torch.seed()'] : []),
      ],
    ),
  ];
}

const LINK_VOLUMES = [
  'for name in ("data", "outputs"):',
  '    with contextlib.suppress(OSError):',
  '        os.symlink(f"/{name}", name)',
];

function beforeSnapshot(docstring: string, body: readonly string[]): string[] {
  return ['@modal.enter(snap=True)', 'def import_packages(self):', ...[docstring, ...body].map(indent)];
}

function afterSnapshot(docstring: string, body: readonly string[]): string[] {
  return ['@modal.enter(snap=False)', 'def warm_up(self):', ...[docstring, ...body].map(indent)];
}

function importPackages({ modules }: AppContent): string[] {
  return modules.packages
    .filter((name) => name !== 'tinycats' && name !== 'modal')
    .map((name) => `import ${name}  # noqa: F401`);
}

function importOwn(content: AppContent): string[] {
  const { entry, modules } = content;
  return [
    ...(usesPackage(content, 'tinycats') ? ['sys.modules.setdefault("tinycats", tinycats_stand_in())'] : []),
    ...(entry.kind === 'script'
      ? []
      : [`self.module = importlib.import_module(${pythonString(modules.moduleName)})`]),
    ...(entry.kind === 'class'
      ? [
          `self.container = self.module.${entry.name}()`,
          ...entry.enterMethods.map((method) => `self.container.${method}()`),
        ]
      : []),
  ];
}

function trainMethod({ entry, modules }: AppContent): string[] {
  const paths = parametersOf(entry).filter(({ isPath }) => isPath);
  const withArguments = takesArguments(entry);
  return [
    '@modal.method()',
    `def train(self, ${withArguments ? 'arguments' : '**parameters'}):`,
    '    """Trains. What it returns is the result, as far as JSON can say it."""',
    ...(withArguments
      ? [`    sys.argv = [${pythonString(inContainer(modules.files[0] ?? ''))}, *arguments]`]
      : []),
    ...(paths.length === 0
      ? []
      : [
          `    for name in (${paths.map(({ name }) => `${pythonString(name)},`).join(' ')}):`,
          '        parameters[name] = None if parameters[name] is None else Path(parameters[name])',
        ]),
    '    try:',
    `        ${call(entry, modules.moduleName)}`,
    '    finally:',
    '        outputs.commit()',
  ];
}

function call(entry: Entry, moduleName: string): string {
  switch (entry.kind) {
    case 'script':
      return `runpy.run_module(${pythonString(moduleName)}, run_name="__main__", alter_sys=True)`;
    case 'function': {
      const given = takesArguments(entry) ? '' : '**parameters';
      return `return json.loads(json.dumps(self.module.${entry.name}(${given}), default=str))`;
    }
    case 'class':
      return `return json.loads(json.dumps(self.container.${entry.method}(**parameters), default=str))`;
  }
}

function indent(line: string): string {
  return line === '' ? '' : `    ${line}`;
}
