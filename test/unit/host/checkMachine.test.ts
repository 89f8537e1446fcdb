import assert from 'node:assert/strict';
import type { MachineReport } from '../../../src/container/engines/machineReport';
import { machinePage } from '../../../src/host/commands/checkMachine';

const report: MachineReport = {
  node: 'v20.20.2',
  platform: 'linux x64',
  processor: 'A | processor',
  cores: 2,
  threads: 2,
  workers: 2,
  memoryBytes: 8e9,
  freeMemoryBytes: 4e9,
  wasmSimd: true,
  wasmRelaxedSimd: true,
  nvidiaDriver: null,
  nvidiaGpus: [],
  engines: [
    {
      name: 'tensorflow',
      usable: false,
      device: null,
      versions: {},
      problem: 'not installed',
      howToGet: 'run `tiny-cats install-engine`',
    },
    {
      name: 'wasm',
      usable: true,
      device: 'A processor, wasm SIMD + FMA',
      versions: { '@tensorflow/tfjs-core': '4.22.0' },
      problem: null,
      howToGet: null,
    },
  ],
};

/** Without the backslashes that keep text from being markup. */
const plain = (page: string): string => page.replaceAll('\\', '');

describe('the page of "Check This Machine"', () => {
  it('names the engine that is chosen, what the others lack and how to get it', () => {
    const page = plain(machinePage(report));
    assert.match(page, /The engine `auto` is \*\*wasm\*\* here: A processor, wasm SIMD \+ FMA/);
    assert.match(
      page,
      /✗ tensorflow\n\nCannot be used: not installed\n\nTo get it: run `tiny-cats install-engine`/,
    );
    assert.match(page, /✓ wasm\n\nComputes on A processor.*\n\nInstalled: @tensorflow\/tfjs-core 4\.22\.0/);
    assert.match(page, /\| Cores \| 2, training takes 2 by itself \|/);
  });

  it('keeps a table whole, whatever a processor calls itself', () => {
    assert.match(machinePage(report), /\| Processor \| A \\\| processor \|/);
  });

  it('says where no engine can be used', () => {
    const page = machinePage({ ...report, engines: report.engines.slice(0, 1) });
    assert.match(page, /No engine can be used here/);
  });
});
