import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackboneName } from '../../../protocol/backbones';
import type { RunContext } from '../recipe';
import { RunFailure } from '../recipe';
import { DownloadError, download, isFileWithHash } from './download';

/** Where torchvision publishes its weights. */
const TORCHVISION_URL = 'https://download.pytorch.org/models/';

/**
 * torchvision's weights trained on ImageNet; resnet50's are its second, better ones. The hexadecimal digits are the
 * first of the file's SHA-256.
 */
const FILES: Readonly<Record<BackboneName, string | undefined>> = {
  tiny_cnn: undefined,
  resnet18: 'resnet18-f37072fd.pth',
  resnet34: 'resnet34-b627a593.pth',
  resnet50: 'resnet50-11ad3fa6.pth',
  mobilenet_v3_small: 'mobilenet_v3_small-047dcff4.pth',
};

/** Whether there are pretrained weights of the backbone. */
export function hasPretrained(backbone: BackboneName): boolean {
  return FILES[backbone] !== undefined;
}

export interface PretrainedOptions {
  /** Of the data volume: weights are kept in its folder `pretrained`. */
  readonly dataDir: string;
  /** Ends with a slash; torchvision's if not given. */
  readonly url?: string | undefined;
  readonly run: Pick<RunContext, 'log' | 'stop'>;
}

/**
 * Path of the backbone's pretrained weights: from the data volume, or downloaded into it.
 * @throws RunFailure that says which file to put where if they cannot be downloaded
 * @throws the reason of `run.stop` once that is aborted
 */
export async function pretrainedWeights(
  backbone: BackboneName,
  { dataDir, url = TORCHVISION_URL, run }: PretrainedOptions,
): Promise<string> {
  const name = FILES[backbone];
  if (name === undefined) {
    throw new RunFailure('weights', `${backbone} has no pretrained weights. Train with pretrained false.`);
  }
  const hash = /-([0-9a-f]+)\.pth$/.exec(name)?.[1] ?? '';
  const dir = join(dataDir, 'pretrained');
  const path = join(dir, name);
  if (await isFileWithHash(path, hash)) {
    return path;
  }
  const source = new URL(name, url).href;
  run.log('info', `Downloading the pretrained weights of ${backbone} from ${source}`);
  try {
    await mkdir(dir, { recursive: true });
    await download(source, path, {
      hash,
      stop: run.stop,
      onProgress: (text) => run.log('info', `${name}: ${text}`),
    });
  } catch (error) {
    if (run.stop.aborted || !(error instanceof DownloadError)) {
      throw error;
    }
    throw new RunFailure(
      'weights',
      `The pretrained weights of ${backbone} could not be downloaded (${error.message}). Put the file ${source} at ` +
        `${path}, or train with pretrained false (--no-pretrained) or the path of another file of weights.`,
    );
  }
  return path;
}
