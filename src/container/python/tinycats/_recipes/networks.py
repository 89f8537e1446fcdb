"""The classifier's networks: torchvision's, and the small one of our own, with dropout before the last layer."""

from __future__ import annotations

from tinycats._container.failures import RunFailure

BACKBONES = ("tiny_cnn", "resnet18", "resnet34", "resnet50", "mobilenet_v3_small")
STEM_CHANNELS = 24
_DROPOUT = 0.3
_SMALL_SCALE = 0.25


def build(backbone, classes, image_size, stem_channels=STEM_CHANNELS):
    """A fresh network with random weights, and how the names of its last layer begin. `stem_channels` is for tiny_cnn."""
    from torch import nn

    if backbone == "tiny_cnn":
        return _tiny_cnn(classes, image_size, stem_channels), "fc."
    models = _torchvision()
    network = getattr(models, backbone)(weights=None)
    if backbone == "mobilenet_v3_small":
        network.classifier[2] = nn.Dropout(_DROPOUT)
        network.classifier[3] = nn.Linear(network.classifier[3].in_features, classes)
        return network, "classifier.3."
    network.fc = nn.Linear(network.fc.in_features, classes)
    # A hook, not a layer: the names of the parameters stay torchvision's.
    network.fc.register_forward_pre_hook(_drop)
    return network, "fc."


def stored_stem_channels(backbone, weights):
    """Channels of the stem in stored weights of tiny_cnn: older checkpoints have a narrower one. None where they do not say."""
    stem = weights.get("conv1.weight")
    return len(stem) if backbone == "tiny_cnn" and stem is not None and tuple(stem.shape[1:]) == (3, 3, 3) else None


def pretrained(backbone):
    """torchvision's ImageNet weights, downloaded once; None for a network that has none."""
    if backbone == "tiny_cnn":
        return None
    try:
        return _torchvision().get_model_weights(backbone).DEFAULT.get_state_dict(progress=False)
    except OSError as error:
        message = f"The pretrained weights of {backbone} cannot be downloaded ({error}). Train with pretrained false, or give a file."
        raise RunFailure("weights", message) from None


def _drop(layer, inputs):
    from torch.nn import functional

    return (functional.dropout(inputs[0], _DROPOUT, layer.training),)


def _torchvision():
    try:
        from torchvision import models
    except ImportError:
        raise RunFailure("parameters", "torchvision is not installed: backbone tiny_cnn does without it.") from None
    return models


def _tiny_cnn(classes, image_size, stem):
    """A small residual network: see src/container/recipes/classifier/networks/tinyCnn.ts."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, inner, outer):
            super().__init__()
            self.conv1 = nn.Conv2d(inner, outer, 3, 2, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outer)
            self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outer)
            self.downsample = nn.Sequential(nn.Conv2d(inner, outer, 1, 2, bias=False), nn.BatchNorm2d(outer))

        def forward(self, x):
            residual = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(residual + self.downsample(x))

    class TinyCnn(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, stem, 3, 2 if image_size > 32 else 1, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(stem)
            self.layer1, self.layer2, self.layer3 = (
                nn.Sequential(Block(inner, outer)) for inner, outer in ((stem, 32), (32, 64), (64, 128))
            )
            self.fc = nn.Linear(128, classes)
            self.fc.register_forward_pre_hook(_drop)

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(x)))
            return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))

    network = TinyCnn()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            module.weight.data.mul_(_SMALL_SCALE)
    return network
