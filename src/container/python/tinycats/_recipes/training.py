"""What both recipes share: their run, the schedule, the pace of progress events."""

from __future__ import annotations

import math
import os
import signal
import time

from tinycats._container.failures import RunFailure

PROGRESS_S = 0.1


class RecipeRun:
    """One run as its recipe sees it."""

    def __init__(self, order, recorder, emit, datasets):
        self.params = order["params"]
        self.run_id = order["runId"]
        self.run_dir = order["runDir"]
        self.outputs_dir = order["outputsDir"]
        self.data_dir = order["dataDir"]
        self.resume_dir = order.get("resumeDir")
        self.phase = recorder.phase
        self.emit = emit
        self.datasets = datasets
        self.stopping = False
        self._told_at = float("-inf")

    def listen(self):
        """A stop ends the run between two steps."""
        signal.signal(signal.SIGINT, self._stop)

    def log(self, level, text):
        self.emit({"type": "log", "level": level, "text": text})

    def step(self, body, always):
        """Progress events come no more often than ten times a second."""
        now = time.monotonic()
        if always or now - self._told_at >= PROGRESS_S:
            self._told_at = now
            self.emit({"type": "step", **body})

    def path(self, *parts):
        return os.path.join(self.run_dir, *parts)

    def _stop(self, _signal, _frame):
        self.stopping = True


def device():
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def learning_rate(step, highest, warmup_steps, total_steps):
    """Grows linearly over the warm-up, then falls along half a cosine to 0."""
    if step < warmup_steps:
        return highest * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return highest * (1 + math.cos(math.pi * progress)) / 2


def refuse_diverged(loss, place, lr):
    if not math.isfinite(loss):
        raise RunFailure("diverged", f"The loss became {loss} at {place}. Train with a lower lr (it is {lr}).")
