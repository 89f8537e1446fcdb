import assert from 'node:assert/strict';
import type { MachineReport } from '../../../src/container/engines/machineReport';
import { machineReportSchema } from '../../../src/container/engines/machineReport';
import { inspectMachine } from '../../../src/container/engines/machine';
import { reportLines } from '../../../src/cli/commands/doctor';
import { parse } from '../../../src/protocol/schema';
import { prepareWasm, wasmDir } from '../engines/support';

describe('doctor', () => {
  let report: MachineReport;
  before(async () => {
    await prepareWasm();
    report = parse(machineReportSchema, await inspectMachine({ wasmDir, enginesDir: wasmDir }), 'report');
  });

  it('tries every engine, in the order of preference', () => {
    assert.deepEqual(
      report.engines.map(({ name }) => name),
      ['tensorflow', 'webgpu', 'wasm', 'cpu'],
    );
    const [tensorflow, webgpu, wasm, cpu] = report.engines;
    for (const missing of [tensorflow, webgpu]) {
      assert.equal(missing?.usable, false);
      assert.match(missing.problem ?? '', /is not installed/);
      assert.match(missing.howToGet ?? '', /tiny-cats install-engine/);
    }
    for (const builtIn of [wasm, cpu]) {
      assert.equal(builtIn?.usable, true);
      assert.equal(builtIn.problem, null);
    }
    assert.match(wasm?.device ?? '', /wasm SIMD/);
  });

  it('knows the machine', () => {
    assert.equal(report.node, process.version);
    assert.ok(report.wasmSimd);
    assert.ok(report.cores >= 1 && report.workers >= 1 && report.memoryBytes > 0);
  });

  it('says it in lines, with what is missing and how to get it', () => {
    const text = reportLines({
      ...report,
      nvidiaDriver: '535.104.05',
      nvidiaGpus: ['NVIDIA T4'],
      engines: [
        {
          name: 'tensorflow',
          usable: false,
          device: null,
          versions: { '@tensorflow/tfjs-node-gpu': '4.0.0' },
          problem: 'tfjs-node-gpu 4.0.0 is installed, 4.22.0 is needed',
          howToGet: 'run this',
        },
        { name: 'wasm', usable: true, device: 'CPU', versions: {}, problem: null, howToGet: null },
      ],
    }).join('\n');
    assert.match(text, /NVIDIA T4, driver 535\.104\.05/);
    assert.match(
      text,
      /tensorflow +not usable: .*4\.22\.0 is needed\n +@tensorflow\/tfjs-node-gpu 4\.0\.0\n +to get it: run this/,
    );
    assert.match(text, /wasm +usable: CPU/);
  });
});
