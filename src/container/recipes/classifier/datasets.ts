import { join } from 'node:path';
import { SAMPLE_DATA_SET } from '../../../protocol/recipes';
import type { Dataset } from '../../data/dataset';
import { loadDataset } from '../../data/dataset';
import type { ImageFolder } from '../../data/imageFolder';
import { scanImageFolder } from '../../data/imageFolder';
import { ensureSampleDataset } from '../../data/sample/sampleDataset';
import type { LogLevel } from '../../../protocol/events';

/** Decoded data sets kept in memory; the least recently used goes first. */
const KEPT = 2;

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
  async scan(dataDir: string, options: { minimumClasses?: 1 | 2 } = {}): Promise<ImageFolder> {
    const folder = dataDir === SAMPLE_DATA_SET ? await ensureSampleDataset(this.dataDir) : dataDir;
    return scanImageFolder(folder, options);
  }

  /** @throws DataError if too few images can be used */
  async load(folder: ImageFolder, imageSize: number, { log, stop }: Watcher): Promise<Dataset> {
    const key = JSON.stringify([folder.dir, folder.fingerprint, imageSize]);
    const dataset =
      this.decoded.get(key) ??
      (await loadDataset(folder, {
        imageSize,
        wasmDir: this.wasmDir,
        cacheDir: join(this.dataDir, 'cache'),
        log,
        signal: stop,
      }));
    this.decoded.delete(key);
    this.decoded.set(key, dataset);
    for (const [oldest, unused] of [...this.decoded].slice(0, -KEPT)) {
      this.decoded.delete(oldest);
      await unused.close();
    }
    return dataset;
  }
}
