"""One name for what code calls by many: `loss`, `Loss/train`, `train_loss` and `training loss` are `train_loss`."""

from __future__ import annotations

import math
import re

CANONICAL = ("train_loss", "train_acc", "val_loss", "val_acc", "lr", "images_per_second", "time_s")
_TRAIN = {"train", "training", "trn"}
_VAL = {"val", "valid", "validation", "test", "eval", "evaluation", "dev"}
_LOSS = {"loss"}
_ACC = {"acc", "accuracy", "acc1", "acc@1", "top1", "top@1", "prec@1", "top1_acc", "sparse_categorical_accuracy",
        "categorical_accuracy", "binary_accuracy", "multiclassaccuracy"}
_WHOLE = {
    "lr": "lr",
    "learning_rate": "lr",
    "images_per_second": "images_per_second",
    "img/s": "images_per_second",
    "time_s": "time_s",
}
# Words that say how a metric was taken, not which one it is.
_FILLERS = {"avg", "average", "mean", "epoch", "step", "set", "error", "running", "total", "final", "metrics"}


def phase_of(word):
    """`train` or `val` for a word that says so."""
    lower = word.lower()
    return "train" if lower in _TRAIN else "val" if lower in _VAL else None


def canonical(name, phase=None):
    """The protocol's name of a metric, or its own name made plain. `phase`: what the line says of it, if anything."""
    plain = re.sub(r"\s+", "_", name.strip().lower())
    if plain in _WHOLE:
        return _WHOLE[plain]
    words = [word for word in re.split(r"[/_\-. ]+", plain) if word]
    kinds = [word for word in words if phase_of(word) is None and word not in _FILLERS]
    phases = [phase_of(word) for word in words if phase_of(word)]
    kind = "_".join(kinds)
    spelled = "loss" if kind in _LOSS else "acc" if kind in _ACC else None
    if spelled is None:
        return plain
    return f"{(phases or [phase or 'train'])[0]}_{spelled}"


def number(value):
    """A finite float from a number, or from a tensor or array of one; None for anything else."""
    try:
        if hasattr(value, "detach"):
            value = value.detach()
        made = float(value.item()) if hasattr(value, "item") else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return made


def is_finite(value):
    return value is not None and math.isfinite(value)


def as_share(name, value):
    """Accuracies are from 0 to 1: 82.1 stands for 82.1 %."""
    return value / 100 if name.endswith("_acc") and 1 < value <= 100 else value
