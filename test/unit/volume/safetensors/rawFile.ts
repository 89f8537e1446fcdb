import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A safetensors file as an arbitrary program might have left it. */
export interface RawFile {
  /** Text between the length and the data, or the object that it encodes. */
  header: string | object;
  /** What the first 8 bytes claim; the true length if absent. */
  claimedHeaderBytes?: bigint;
  /** Length of the data, which is a hole. */
  dataBytes?: number;
}

export async function writeRawFile(
  path: string,
  { header, claimedHeaderBytes, dataBytes = 0 }: RawFile,
): Promise<void> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimedHeaderBytes ?? BigInt(json.byteLength));
  const handle = await open(path, 'w');
  try {
    await handle.writev([prefix, json]);
    await handle.truncate(8 + json.byteLength + dataBytes);
  } finally {
    await handle.close();
  }
}

export function tensor(dtype: string, shape: number[], begin: number, end: number): object {
  return { dtype, shape, data_offsets: [begin, end] };
}

/** A folder with an awkward name, for the length of one test. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tiny cats ä’s '));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
