import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InspectOptions } from '../../container/engines/inspect';
import type { EngineReport, MachineReport } from '../../container/engines/machineReport';
import { machineReportSchema } from '../../container/engines/machineReport';
import { parse } from '../../protocol/schema';
import { enginesDir } from '../../targets/local/paths';
import type { CliContext, Command } from '../command';
import { CommandError, ExitCode } from '../errors';
import { bytesText, factLines } from '../format';
import { jsonLine, plain } from '../text';

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Check this machine: engines, devices, versions, what is missing and how to get it',
  details: ['Tries every engine, in the order in which "auto" prefers them. It starts no container.'],
  options: [],
  run: async (context, { settings }) => {
    const report = await inspectMachine(context);
    if (settings.json) {
      context.terminal.line(jsonLine(report));
    } else {
      for (const line of reportLines(report)) {
        context.terminal.line(line);
      }
    }
    return ExitCode.done;
  },
};

/** Loads what computes only now: most commands have no use for it. */
async function inspectMachine({ bundleDir }: CliContext): Promise<MachineReport> {
  const bundle: unknown = await import(pathToFileURL(join(bundleDir, 'evaluate.js')).href);
  if (!isInspector(bundle)) {
    throw new CommandError(`${bundleDir} lacks what checks the machine; install Tiny Cats again.`);
  }
  const report = await bundle.inspectMachine({ wasmDir: join(bundleDir, 'wasm'), enginesDir: enginesDir() });
  return parse(machineReportSchema, report, 'machine report');
}

function isInspector(
  bundle: unknown,
): bundle is { inspectMachine: (options: InspectOptions) => Promise<unknown> } {
  return (
    typeof bundle === 'object' &&
    bundle !== null &&
    'inspectMachine' in bundle &&
    typeof bundle.inspectMachine === 'function'
  );
}

/** The report as lines for a person. */
export function reportLines(report: MachineReport): string[] {
  const { nvidiaDriver, nvidiaGpus } = report;
  const gpus = nvidiaGpus.length > 0 ? nvidiaGpus.map(plain).join(', ') : 'none found';
  return [
    ...factLines([
      ['Node', report.node],
      ['Platform', report.platform],
      ['Processor', plain(report.processor)],
      ['Cores', `${report.cores}, training takes ${report.workers} by itself`],
      ['Memory', `${bytesText(report.memoryBytes)}, ${bytesText(report.freeMemoryBytes)} free`],
      ['wasm SIMD', simdText(report)],
      ['NVIDIA GPU', nvidiaDriver === null ? gpus : `${gpus}, driver ${plain(nvidiaDriver)}`],
    ]),
    'Engines',
    ...report.engines.flatMap(engineLines),
  ];
}

function simdText({ wasmSimd, wasmRelaxedSimd }: MachineReport): string {
  if (!wasmSimd) {
    return 'no';
  }
  return wasmRelaxedSimd ? 'yes, with fused multiply-add' : 'yes, without fused multiply-add';
}

function engineLines({ name, usable, device, versions, problem, howToGet }: EngineReport): string[] {
  const installed = Object.entries(versions).map(([packageName, version]) => `${packageName} ${version}`);
  return [
    `  ${name.padEnd(11)} ${usable ? `usable: ${plain(device ?? '')}` : `not usable: ${plain(problem ?? '')}`}`,
    ...(installed.length > 0 ? [`  ${''.padEnd(11)} ${plain(installed.join(', '))}`] : []),
    ...(usable || howToGet === null || problem?.includes(howToGet) === true
      ? []
      : [`  ${''.padEnd(11)} to get it: ${plain(howToGet)}`]),
  ];
}
