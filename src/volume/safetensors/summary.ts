import type { CheckpointSummary } from '../../protocol/inspector';
import { elementCount, prefixBytes } from './format';
import { readHeader } from './read';

/**
 * Describes a safetensors file from its header alone.
 * @throws as `readHeader`
 */
export async function summarizeSafetensors(path: string): Promise<CheckpointSummary> {
  const header = await readHeader(path);
  const notes: string[] = [];
  if (header.tensors.length === 0) {
    notes.push('The file holds no tensors.');
  }
  if (Object.keys(header.metadata).length === 0) {
    notes.push('The file holds no metadata: it was not written by Tiny Cats.');
  }
  return {
    format: 'safetensors',
    path,
    // A checked header accounts for every byte of the file.
    fileBytes: prefixBytes + header.headerBytes + header.dataBytes,
    metadata: Object.entries(header.metadata),
    tensors: header.tensors.map(({ name, dtype, shape, bytes }) => ({ name, dtype, shape, bytes })),
    parameterCount: header.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    notes,
  };
}
