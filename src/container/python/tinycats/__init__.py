"""Marks and reports for training code on a Tiny Cats container.

Everything here is a no-op outside of one, so that the same file runs as plain `python train.py`.

    import tinycats

    class TrainingContainer:
        @tinycats.enter
        def enter(self): ...          # once per container

        @tinycats.train
        def train(self, epochs: int = 10): ...   # once per run
            tinycats.log(epoch=1, epochs=epochs, train_loss=0.4, val_acc=0.8)
"""

from tinycats._api import checkpoint, is_active, log, run_dir, sample
from tinycats._marks import enter, train

__all__ = ["checkpoint", "enter", "is_active", "log", "run_dir", "sample", "train"]
