"""First weights of tiny_cnn's stem: see src/container/recipes/classifier/stem.ts."""

from __future__ import annotations

_SIDE = 3
_MOST_IMAGES = 128
_PLACES = 7
_EPSILON = 1e-2


def whitening_stem(pixels, train, std, channels):
    """[channels, 3, 3, 3]: the principal axes of the training images' patches, each with both signs, scaled to one variance.

    `pixels` are bytes [N, 3, side, side], `train` the indices of the images that are trained on."""
    import torch

    count, side = min(_MOST_IMAGES, len(train)), pixels.shape[-1]
    chosen = torch.tensor([train[n * len(train) // count] for n in range(count)], device=pixels.device)
    images = pixels[chosen].cpu().double() / (255 * torch.tensor(std).double().view(1, 3, 1, 1))
    places = [place * (side - _SIDE + 1) // _PLACES for place in range(_PLACES)]
    patches = images.unfold(2, _SIDE, 1)[:, :, places].unfold(3, _SIDE, 1)[:, :, :, places]
    patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * _SIDE * _SIDE)
    centred = patches - patches.mean(0)
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(centred))
    filters = (axes / (variances + _EPSILON).sqrt()).T.flip(0)
    signed = torch.stack([filters, -filters], 1).flatten(0, 1)
    return signed[torch.arange(channels) % len(signed)].view(channels, 3, _SIDE, _SIDE).float()
