import type { Image, ModalClient } from 'modal';
import type { ModalConfig } from './config';

/** Debian slim with Node; the tag pins both. */
const BASE = 'node:22.14.0-bookworm-slim';
/** PyTorch brings the CUDA libraries along; the driver is Modal's. */
const PYTORCH = ['torch==2.5.1', 'torchvision==0.20.1', 'numpy==2.1.3', 'pillow==11.0.0'];

/**
 * The image of a sandbox, not built yet: the one that is configured, else a slim one of our own. Modal builds it once and
 * keeps it.
 */
export function sandboxImage(client: ModalClient, { image, gpu }: Pick<ModalConfig, 'image' | 'gpu'>): Image {
  if (image !== undefined) {
    return client.images.fromRegistry(image);
  }
  const base = client.images.fromRegistry(BASE);
  return gpu === 'none'
    ? base
    : base.dockerfileCommands([
        'RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip && rm -rf /var/lib/apt/lists/*',
        `RUN pip install --break-system-packages --no-cache-dir ${PYTORCH.join(' ')}`,
        'ENV PYTORCH_CUDA_ALLOC_CONF=max_split_size_mb:512',
      ]);
}
