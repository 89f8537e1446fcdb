import type { RunView } from '../../src/protocol/runView';
import { formatBytes, formatPercent } from '../shared/format';

export interface DeviceData {
  /** Since the run began. */
  seconds: number[];
  utilisation: (number | null)[];
  memory: (number | null)[];
  /** Of the device's memory; 0 if it is not known. */
  totalBytes: number;
  /** The newest figures in a sentence. */
  description: string;
}

/** The curves of the device. */
export function deviceData({ deviceSamples, createdAt }: RunView): DeviceData {
  const last = deviceSamples.at(-1);
  const parts = [
    ...(last === undefined || last.utilisation === null ? [] : [`${formatPercent(last.utilisation)} busy`]),
    ...(last === undefined || last.memoryUsedBytes === null
      ? []
      : [`${formatBytes(last.memoryUsedBytes)} of memory used`]),
  ];
  return {
    seconds: deviceSamples.map(({ time }) => (time - createdAt) / 1000),
    utilisation: deviceSamples.map(({ utilisation }) => utilisation),
    memory: deviceSamples.map(({ memoryUsedBytes }) => memoryUsedBytes),
    totalBytes: last?.memoryTotalBytes ?? 0,
    description: parts.length === 0 ? 'Nothing was measured yet.' : `Last: ${parts.join(', ')}.`,
  };
}
