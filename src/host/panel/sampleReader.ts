import { readFile, stat } from 'node:fs/promises';
import { confine } from '../../volume/confine';
import type { OutputsVolume } from '../../volume/outputsVolume';

const SAMPLE_FILE = /^samples\/step-\d+\.png$/;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * A grid of generated images as a data URL, which the page can show without opening a file.
 * @param file as the event `sample` named it
 * @returns null if the run has no such picture
 */
export async function readSample(volume: OutputsVolume, runId: string, file: string): Promise<string | null> {
  const dir = SAMPLE_FILE.test(file) ? await volume.findRun(runId) : undefined;
  if (dir === undefined) {
    return null;
  }
  try {
    const path = await confine(dir, file);
    const { size } = await stat(path);
    const data = size <= MOST_BYTES ? await readFile(path) : Buffer.alloc(0);
    return data.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)
      ? `data:image/png;base64,${data.toString('base64')}`
      : null;
  } catch {
    return null;
  }
}
