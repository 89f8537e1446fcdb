import type { CheckpointSummary } from '../../protocol/inspector';
import { summarizeSafetensors } from '../../volume/safetensors';

/** One file format that the inspector can show. */
export interface CheckpointReader {
  id: string;
  /** Whether the reader is for the file, by its name alone. */
  matches(path: string): boolean;
  /** @throws an Error whose message tells the user what is wrong with the file */
  read(path: string): Promise<CheckpointSummary>;
}

export const checkpointReaders: readonly CheckpointReader[] = [
  {
    id: 'safetensors',
    matches: (path) => path.toLowerCase().endsWith('.safetensors'),
    read: summarizeSafetensors,
  },
];
