"""A diffusion transformer with adaLN-zero on pixels: see src/container/recipes/dit/network.ts for the choices and sources."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

_TIME_FEATURES = 256
_SHORTEST_TIME = 0.05


class TinyDiT(nn.Module):
    """The velocity of images [B, 3, side, side] at times [B] in [0, 1] for classes [B]; class `classes` is none."""

    def __init__(self, *, image_size, patch_size, width, depth, heads, classes):
        super().__init__()
        self.patch, self.side = patch_size, image_size // patch_size
        self.classes = classes
        self.x_embedder = nn.Module()
        self.x_embedder.proj = nn.Conv2d(3, width, patch_size, patch_size)
        self.pos_embed = nn.Parameter(grid_positions(self.side, width)[None])
        self.t_embedder = nn.Module()
        self.t_embedder.mlp = nn.Sequential(nn.Linear(_TIME_FEATURES, width), nn.SiLU(), nn.Linear(width, width))
        self.y_embedder = nn.Module()
        self.y_embedder.embedding_table = nn.Embedding(classes + 1, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.final_layer = nn.Module()
        self.final_layer.linear = nn.Linear(width, patch_size * patch_size * 3)
        self.final_layer.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self._initialise(patch_size * patch_size * 3, width)

    def forward(self, x, time, label):
        condition = self.t_embedder.mlp(time_features(time)) + self.y_embedder.embedding_table(label)
        h = self.x_embedder.proj(x).flatten(2).transpose(1, 2) + self.pos_embed
        for block in self.blocks:
            h = block(h, condition)
        shift, scale = self.final_layer.adaLN_modulation(condition)[:, None].chunk(2, -1)
        tokens = self.final_layer.linear(modulated(h, shift, scale)).float()
        # The last layer gives the image that x leads to; the velocity follows from it.
        return (x - self._image(tokens)) / time.clamp(min=_SHORTEST_TIME).view(-1, 1, 1, 1)

    def _image(self, tokens):
        """[B, T, patch * patch * 3], in the order row, column, channel, as [B, 3, side, side]."""
        shape = (-1, self.side, self.side, self.patch, self.patch, 3)
        return tokens.view(shape).permute(0, 5, 1, 3, 2, 4).reshape(len(tokens), 3, self.side * self.patch, -1)

    def _initialise(self, pixels, width):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.x_embedder.proj.weight, std=math.sqrt(2 / (pixels + width)))
        nn.init.zeros_(self.x_embedder.proj.bias)
        nn.init.normal_(self.y_embedder.embedding_table.weight, std=0.4)
        for layer in [*(block.adaLN_modulation[1] for block in self.blocks), self.final_layer.adaLN_modulation[1], self.final_layer.linear]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)


class Block(nn.Module):
    """Attention and feed-forward, each scaled, shifted and gated by the condition; the identity at the start."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.attn = nn.Module()
        self.attn.qkv = nn.Linear(width, 3 * width)
        self.attn.proj = nn.Linear(width, width)
        self.mlp = nn.Module()
        self.mlp.fc1 = nn.Linear(width, 4 * width)
        self.mlp.fc2 = nn.Linear(4 * width, width)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(self, x, condition):
        parts = self.adaLN_modulation(condition)[:, None].chunk(6, -1)
        x = x + parts[2] * self._attend(modulated(x, parts[0], parts[1]))
        inner = functional.gelu(self.mlp.fc1(modulated(x, parts[3], parts[4])), approximate="tanh")
        return x + parts[5] * self.mlp.fc2(inner)

    def _attend(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.attn.qkv(x).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attention = getattr(functional, "scaled_dot_product_attention", None)
        if attention is not None:
            mixed = attention(q, k, v)
        else:
            mixed = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v
        return self.attn.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


def modulated(x, shift, scale):
    return functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


def time_features(time):
    half = _TIME_FEATURES // 2
    exponents = torch.arange(half, device=time.device, dtype=torch.float32) / half
    angles = time.float()[:, None] * (1000 * 10_000**-exponents)
    return torch.cat([angles.cos(), angles.sin()], 1)


def grid_positions(side, width):
    """Sinusoids [side * side, width]: a quarter each for sine and cosine of the column and of the row."""
    quarter = width // 4
    frequencies = 100.0 ** -(torch.arange(quarter, dtype=torch.float32) / quarter)
    places = torch.arange(side * side)
    parts = []
    for position in (places % side, places // side):
        angles = position.float()[:, None] * frequencies
        parts += [angles.sin(), angles.cos()]
    return torch.cat(parts, 1)


@torch.no_grad()
def draw(network, labels, params, device, stopped):
    """Images from noise by Euler steps, pushed away from what they would be without a class. None where stopped."""
    network.eval()
    generator = torch.Generator().manual_seed(params["seed"])
    side, steps, guidance = params["image_size"], params["sample_steps"], params["guidance_scale"]
    x = torch.randn(len(labels), 3, side, side, generator=generator).to(device)
    own = torch.tensor(labels, device=device)
    none = torch.full_like(own, network.classes)
    for step in range(steps):
        if stopped():
            return None
        time = torch.full((len(labels),), 1 - step / steps, device=device)
        velocity = network(x, time, own)
        if guidance != 1:
            free = network(x, time, none)
            velocity = free + guidance * (velocity - free)
        x = x - velocity / steps
    return x
