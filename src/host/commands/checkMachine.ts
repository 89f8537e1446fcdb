import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type * as vscode from 'vscode';
import type { EngineReport, MachineReport } from '../../container/engines/machineReport';
import { machineReportSchema } from '../../container/engines/machineReport';
import { parse } from '../../protocol/schema';
import type { Disposable } from '../disposables';
import { DisposableStore } from '../disposables';
import { escapeMarkdown, formatBytes } from '../format';

const SCHEME = 'tiny-cats-machine';
const TIMEOUT_MS = 60_000;
const MAX_BYTES = 1_000_000;

type Vs = Pick<
  typeof vscode,
  'EventEmitter' | 'ProgressLocation' | 'Uri' | 'commands' | 'window' | 'workspace'
>;

/** "Check This Machine": what `tiny-cats doctor` finds, as a page. It starts no container and changes nothing. */
export class MachineCheck implements Disposable {
  private readonly store = new DisposableStore();
  private readonly changed: vscode.EventEmitter<vscode.Uri>;
  private readonly uri: vscode.Uri;
  private page = '';

  /** @param bundleDir folder of cli.js */
  constructor(
    private readonly vs: Vs,
    private readonly bundleDir: string,
  ) {
    this.changed = this.store.add(new vs.EventEmitter<vscode.Uri>());
    this.uri = vs.Uri.from({ scheme: SCHEME, path: '/This Machine.md' });
    this.store.add(
      vs.workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: this.changed.event,
        provideTextDocumentContent: () => this.page,
      }),
    );
  }

  /** Looks at the machine and shows the page. Engines are tried in a process of their own: one that crashes takes it alone. */
  async show(): Promise<void> {
    const { vs, uri } = this;
    const report = await vs.window.withProgress(
      { location: vs.ProgressLocation.Notification, title: 'Tiny Cats: checking this machine' },
      () => inspectMachine(this.bundleDir),
    );
    this.page = machinePage(report);
    this.changed.fire(uri);
    await vs.commands.executeCommand('markdown.showPreview', uri);
  }

  dispose(): void {
    this.store.dispose();
  }
}

async function inspectMachine(bundleDir: string): Promise<MachineReport> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(bundleDir, 'cli.js'), 'doctor', '--json'],
    // What the workspace holds is not to be found as a program.
    {
      cwd: bundleDir,
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_BYTES,
    },
  );
  const printed: unknown = JSON.parse(stdout);
  return parse(machineReportSchema, printed, 'machine report');
}

/** The report as Markdown. */
export function machinePage(report: MachineReport): string {
  const { nvidiaDriver, nvidiaGpus, wasmSimd, wasmRelaxedSimd } = report;
  const gpus = nvidiaGpus.length > 0 ? nvidiaGpus.join(', ') : 'none found';
  const simd = !wasmSimd ? 'no' : `yes, ${wasmRelaxedSimd ? 'with' : 'without'} fused multiply-add`;
  const facts: [string, string][] = [
    ['Node', report.node],
    ['Platform', report.platform],
    ['Processor', report.processor],
    ['Cores', `${report.cores}, training takes ${report.workers} by itself`],
    ['Memory', `${formatBytes(report.memoryBytes)}, ${formatBytes(report.freeMemoryBytes)} free`],
    ['wasm SIMD', simd],
    ['NVIDIA GPU', nvidiaDriver === null ? gpus : `${gpus}, driver ${nvidiaDriver}`],
  ];
  const chosen = report.engines.find(({ usable }) => usable);
  return [
    '# This Machine',
    chosen === undefined
      ? '**No engine can be used here.** What each lacks is said below.'
      : `The engine \`auto\` is **${chosen.name}** here: ${escapeMarkdown(chosen.device ?? '')}.`,
    ['| | |', '|---|---|', ...facts.map(([name, value]) => `| ${name} | ${cell(value)} |`)].join('\n'),
    '## Engines',
    'In the order in which `auto` prefers them.',
    ...report.engines.map(engineSection),
    '',
  ].join('\n\n');
}

function engineSection({ name, usable, device, versions, problem, howToGet }: EngineReport): string {
  const installed = Object.entries(versions).map(([packageName, version]) => `${packageName} ${version}`);
  return [
    `### ${usable ? '✓' : '✗'} ${name}`,
    usable
      ? `Computes on ${escapeMarkdown(device ?? '')}`
      : `Cannot be used: ${escapeMarkdown(problem ?? '')}`,
    ...(installed.length > 0 ? [`Installed: ${escapeMarkdown(installed.join(', '))}`] : []),
    ...(usable || howToGet === null || problem?.includes(howToGet) === true
      ? []
      : [`To get it: ${escapeMarkdown(howToGet)}`]),
  ].join('\n\n');
}

/** Text in a cell of a table. */
const cell = (text: string): string => escapeMarkdown(text).replaceAll('\n', ' ');
