import { join } from 'node:path';
import { SAMPLE_DATA_SET } from '../../../protocol/recipes';
import { DataError } from '../../data/dataError';
import type { Dataset } from '../../data/dataset';
import { loadCachedDataset, loadDataset } from '../../data/dataset';
import type { ImageFolder } from '../../data/imageFolder';
import { scanImageFolder } from '../../data/imageFolder';
import { ensureSampleDataset } from '../../data/sample/sampleDataset';
import type { LogLevel } from '../../../protocol/events';

/** Decoded data sets kept in memory; the least recently used goes first. */
const KEPT = 2;

interface ScanOptions {
  readonly minimumClasses?: 1 | 2;
}

interface Watcher {
  log: (level: LogLevel, text: string) => void;
  stop: AbortSignal;
}

/** The data sets of one trainer: scanned for every run, decoded once as long as their files stay as they are. */
export class Datasets {
  private readonly decoded = new Map<string, Dataset>();

  constructor(
    private readonly dataDir: string,
    private readonly wasmDir: string,
  ) {}

  /** @throws DataError if the folder is no data set */
  async scan(dataDir: string, options: ScanOptions = {}): Promise<ImageFolder> {
    const folder = dataDir === SAMPLE_DATA_SET ? await ensureSampleDataset(this.dataDir) : dataDir;
    return scanImageFolder(folder, options);
  }

  /** As `scan`, for a run to come, which will itself say what is wrong: undefined then. */
  scanAhead(dataDir: string, options: ScanOptions = {}): Promise<ImageFolder | undefined> {
    return unlessUnusable(this.scan(dataDir, options));
  }

  /**
   * Has the data set in memory for a run to come, if all of it is in the cache. One with images that are skipped is left
   * to the run, whose log names them.
   */
  async loadAhead(folder: ImageFolder, imageSize: number): Promise<Dataset | undefined> {
    const key = keyOf(folder, imageSize);
    const kept = this.decoded.get(key);
    if (kept !== undefined) return kept;
    const cacheDir = join(this.dataDir, 'cache');
    const dataset = await unlessUnusable(loadCachedDataset(folder, { imageSize, cacheDir }));
    if (dataset === undefined) return undefined;
    if (dataset.skipped.length > 0) {
      await dataset.close();
      return undefined;
    }
    await this.keep(key, dataset);
    return dataset;
  }

  /** @throws DataError if too few images can be used */
  async load(folder: ImageFolder, imageSize: number, { log, stop }: Watcher): Promise<Dataset> {
    const key = keyOf(folder, imageSize);
    const dataset =
      this.decoded.get(key) ??
      (await loadDataset(folder, {
        imageSize,
        wasmDir: this.wasmDir,
        cacheDir: join(this.dataDir, 'cache'),
        log,
        signal: stop,
      }));
    await this.keep(key, dataset);
    return dataset;
  }

  private async keep(key: string, dataset: Dataset): Promise<void> {
    this.decoded.delete(key);
    this.decoded.set(key, dataset);
    for (const [oldest, unused] of [...this.decoded].slice(0, -KEPT)) {
      this.decoded.delete(oldest);
      await unused.close();
    }
  }
}

function keyOf({ dir, fingerprint }: ImageFolder, imageSize: number): string {
  return JSON.stringify([dir, fingerprint, imageSize]);
}

async function unlessUnusable<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
