"""Varies training images, a batch at a time and on the device, as src/container/data/augmentation.ts does."""

from __future__ import annotations

import math

_WIDEST_MOVE = 0.1
_JITTER = 0.2


def vary(images, level):
    """Images [B, 3, side, side] from 0 to 1. `basic`: mirrored and moved; `standard`: cropped and in other colours;
    `advanced`: turned, scaled and sheared, too. Draws from torch's global generator."""
    import torch
    from torch.nn import functional

    count, _, side, _ = images.shape
    device = images.device
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    if level == "basic":
        most = round(side * _WIDEST_MOVE)
        moves = torch.randint(-most, most + 1, (count, 2)).float() * (2 / side)
        matrices = _matrices(mirror, torch.ones(count), moves)
    else:
        area = torch.empty(count).uniform_(0.7, 1)
        ratio = torch.exp(torch.empty(count).uniform_(-math.log(4 / 3), math.log(4 / 3)))
        width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        centre = (torch.rand(count, 2) - 0.5) * 2 * (1 - torch.stack([width, height], 1))
        matrices = _matrices(mirror * width, height, centre)
        if level == "advanced":
            matrices = _turned(matrices)
        images = _coloured(images)
    grid = functional.affine_grid(matrices.to(device), images.shape, align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _matrices(x_scale, y_scale, moves):
    import torch

    matrices = torch.zeros(len(x_scale), 2, 3)
    matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, :, 2] = x_scale, y_scale, moves
    return matrices


def _turned(matrices):
    """Turned by 15 degrees, moved by a tenth, scaled by a tenth and sheared by 10 degrees at most."""
    import torch

    count = len(matrices)
    angle = torch.empty(count).uniform_(-15, 15).deg2rad()
    shear = torch.empty(count).uniform_(-10, 10).deg2rad().tan()
    scale = 1 / torch.empty(count).uniform_(0.9, 1.1)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([torch.stack([cos + shear * sin, sin - shear * cos], 1), torch.stack([-sin, cos], 1)], 1)
    turned = torch.empty_like(matrices)
    turned[:, :, :2] = turn @ matrices[:, :, :2]
    turned[:, :, 2] = matrices[:, :, 2] + torch.empty(count, 2).uniform_(-0.2, 0.2)
    return turned


def _coloured(images):
    """Brightness, contrast and saturation by a fifth at most, the hue by a tenth of the circle."""
    import torch

    def factor():
        return torch.empty(len(images), 1, 1, 1).uniform_(1 - _JITTER, 1 + _JITTER).to(images.device)

    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device).view(1, 3, 1, 1)
    images = (images * factor()).clamp(0, 1)
    grey = (images * weights).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    images = (grey + (images - grey) * factor()).clamp(0, 1)
    grey = (images * weights).sum(1, keepdim=True)
    images = (grey + (images - grey) * factor()).clamp(0, 1)
    # The hue is turned in YIQ, about the grey axis.
    angle = (torch.empty(len(images)).uniform_(-0.1, 0.1) * 2 * math.pi).to(images.device)
    to_yiq = images.new_tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    turn = torch.eye(3, device=images.device).repeat(len(images), 1, 1)
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
    matrix = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    return torch.einsum("bij,bjhw->bihw", matrix, images).clamp(0, 1)
