"""What training code tells Tiny Cats; each function hands on to the run in progress, if there is one."""

from __future__ import annotations

import os
from pathlib import Path

_reporter = None
"""The run's reporter (`_container.reporter.Reporter`); None outside of a run."""


def attach(reporter):
    """Makes a run the one that is reported to; None ends it."""
    global _reporter
    _reporter = reporter


def is_active():
    """Whether the code runs on a Tiny Cats container."""
    return _reporter is not None


def log(values=None, *, epoch=None, epochs=None, step=None, steps=None, **metrics):
    """Reports metrics: `log(epoch=3, epochs=10, train_loss=0.41, val_acc=0.82)`, `log(step=120, loss=0.4)`.

    Args:
        values: metrics as a dict, for names that are no identifiers
        epoch: number of the epoch, from 1
        epochs: how many there will be
        step: steps that are done
        steps: how many there will be
        metrics: numbers, or tensors and arrays of one number
    """
    if _reporter is not None:
        given = dict(values or {}, **metrics)
        _reporter.log(given, epoch=epoch, epochs=epochs, step=step, steps=steps)


def checkpoint(path, *, epoch=None, val_acc=None):
    """Reports a file that is complete as a checkpoint of the run; one outside of the run's folder is copied into it."""
    if _reporter is not None:
        _reporter.checkpoint(path, epoch=epoch, val_acc=val_acc)


def sample(image, *, step=None, labels=(), columns=None):
    """Shows a picture in the panel.

    Args:
        image: the path of a picture, a PIL image, a matplotlib figure, or an array or tensor, HxW, HxWxC or CxHxW,
            or a batch of those, of bytes or of numbers from 0 to 1
        step: steps that are done
        labels: what the pictures of a batch show, in order
        columns: pictures in a row
    """
    if _reporter is not None:
        _reporter.sample(image, step=step, labels=labels, columns=columns)


def run_dir():
    """The folder of the run; the working folder where there is no run."""
    return Path(os.environ.get("TINY_CATS_RUN_DIR") or os.getcwd())
