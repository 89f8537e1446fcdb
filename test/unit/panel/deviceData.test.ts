import assert from 'node:assert/strict';
import type { RunEventBody } from '../../../src/protocol/events';
import { MAX_DEVICE_SAMPLES } from '../../../src/protocol/runView';
import { deviceData } from '../../../webview/panel/deviceData';
import { runAfter, start } from './runs';

const busy = (utilisation: number): RunEventBody => ({
  type: 'device',
  utilisation,
  memoryUsedBytes: 2e9,
  memoryTotalBytes: 8e9,
});

describe('curves of the device', () => {
  it('count the seconds since the run began, and leave out what is not known', () => {
    const data = deviceData(runAfter(start('warm'), busy(0.5), { type: 'device', memoryUsedBytes: 3e9 }));
    assert.deepEqual(data.seconds, [1, 2]);
    assert.deepEqual(data.utilisation, [0.5, null]);
    assert.deepEqual(data.memory, [2e9, 3e9]);
    assert.equal(data.description, 'Last: 3.00 GB of memory used.');
  });

  it('stay few over a long run, from its beginning to its end', () => {
    const samples = Array.from({ length: 3 * MAX_DEVICE_SAMPLES }, () => busy(1));
    const { seconds } = deviceData(runAfter(start('warm'), ...samples));
    assert.ok(seconds.length <= MAX_DEVICE_SAMPLES);
    assert.ok((seconds[0] ?? Infinity) < samples.length / 50);
    assert.equal(seconds.at(-1), samples.length);
  });
});
