"""The models that are measured, in PyTorch: the same layers and sizes as ours. Each entry makes (model, loss of a batch)."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def images(batch, side, classes):
    return torch.randn(batch, 3, side, side), torch.arange(batch) % classes


def classifier(model, batch, side):
    made_up = images(batch, side, 2)

    def loss(given=None):
        x, y = given or made_up
        return F.cross_entropy(model(x), y)

    return model, loss


def convnet():
    channels = [3, 16, 32, 64, 128]
    layers = []
    for before, after in zip(channels, channels[1:]):
        layers += [nn.Conv2d(before, after, 3, 2, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 2))


class BasicBlock(nn.Module):
    def __init__(self, before, after, stride, projection):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = None
        if projection:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def tiny_cnn():
    stem = [nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU()]
    blocks = [BasicBlock(before, after, 2, True) for before, after in [(24, 32), (32, 64), (64, 128)]]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 2))


def resnet18():
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    blocks = []
    before = 64
    for after, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        blocks += [BasicBlock(before, after, stride, stride > 1), BasicBlock(after, after, 1, False)]
        before = after
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 2))


class DitBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.modulation = nn.Linear(width, 6 * width)

    def forward(self, x, condition):
        batch, tokens, width = x.shape
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition).unsqueeze(1).chunk(6, -1)
        h = self.norm1(x) * (1 + scale1) + shift1
        q, k, v = self.qkv(h).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        shares = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(width // self.heads), -1)
        x = x + gate1 * self.proj((shares @ v).transpose(1, 2).reshape(batch, tokens, width))
        h = self.norm2(x) * (1 + scale2) + shift2
        return x + gate2 * self.fc2(F.gelu(self.fc1(h), approximate="tanh"))


class Dit(nn.Module):
    def __init__(self, side=32, patch=4, width=128, depth=6, heads=4, classes=2):
        super().__init__()
        pixels, self.tokens = patch * patch * 3, (side // patch) ** 2
        self.patch = nn.Linear(pixels, width)
        self.positions = nn.Parameter(torch.randn(1, self.tokens, width))
        self.frequencies = 1000 * 10000 ** (-torch.arange(128) / 128)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.label = nn.Embedding(classes + 1, width)
        self.blocks = nn.ModuleList([DitBlock(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, pixels)

    def forward(self, x, time, label):
        angles = time[:, None] * self.frequencies
        condition = F.silu(self.time(torch.cat([angles.cos(), angles.sin()], 1)) + self.label(label))
        h = self.patch(x) + self.positions
        for block in self.blocks:
            h = block(h, condition)
        shift, scale = self.modulation(condition).unsqueeze(1).chunk(2, -1)
        image = self.out(self.norm(h) * (1 + scale) + shift)
        return (x - image) / time[:, None, None].clamp(min=0.05)


def dit():
    model = Dit()
    x, target = torch.randn(16, model.tokens, 48), torch.randn(16, model.tokens, 48)
    time, label = torch.full((16,), 0.5), torch.zeros(16, dtype=torch.long)
    return model, lambda _=None: F.mse_loss(model(x, time, label), target)


MODELS = {
    "convnet": lambda: classifier(convnet(), 32, 64),
    "tiny_cnn": lambda: classifier(tiny_cnn(), 32, 64),
    "resnet18": lambda: classifier(resnet18(), 32, 64),
    "dit": dit,
}


class Training:
    """Steps of AdamW with clipped gradients, as our learner takes them."""

    def __init__(self, name):
        self.model, self.loss = MODELS[name]()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-4, weight_decay=1e-4)

    def step(self, batch=None):
        """On `batch`, or on one that is made up."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()
