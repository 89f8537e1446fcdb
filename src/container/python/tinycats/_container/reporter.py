"""One run, as it is told of: events by what the code prints, logs, saves and calls."""

from __future__ import annotations

import os
import sys
import threading

from tinycats._container.checkpoint_watch import CheckpointWatch
from tinycats._container.log_budget import LogBudget
from tinycats._container.metric_book import MetricBook
from tinycats._container.pictures import save_picture

TICK_S = 0.1
SCAN_TICKS = 20
DEVICE_TICKS = 10


class Reporter:
    def __init__(self, order, program, reader, channel, gpu):
        """`order`: the supervisor's message; `reader`: a LineReader; `gpu`: a function that gives a device event's values, or None."""
        self._order = order
        self._watches = not program.tells_all
        self._reader = reader
        self._channel = channel
        self._gpu = gpu
        self._stepped = False
        self._optimizer_made = False
        self._samples = 0
        self._told_not_finite = False
        self._given = (None, None)
        self.newest_checkpoint = None
        """Path of the checkpoint that was told of last."""
        self.best_checkpoint = None
        """Path of the last one whose name says that it is the best."""
        self._over = threading.Event()
        # A flood of prints leaves what is wrong its place.
        self._budgets = {trouble: LogBudget(self._tell_line) for trouble in (False, True)}
        self.book = MetricBook(self.emit)
        self.files = CheckpointWatch(
            order["runDir"], order["outputsDir"], program.folder, order.get("params", {}), self._tell_checkpoint
        )
        self._thread = threading.Thread(target=self._watch, name="tinycats-watch", daemon=True)

    def start(self):
        self._thread.start()

    def close(self):
        """Tells what is left to be told."""
        self._over.set()
        self._thread.join(5)
        self.book.close()
        for budget in self._budgets.values():
            budget.close()
        if self._watches:
            self.files.scan(final=True)

    def emit(self, body):
        self._channel.send({"type": "event", "runId": self._order["runId"], "event": body})

    # What the streams and the libraries say.

    def line(self, level, text, location=None):
        self._budgets[level in ("warning", "error")].take(level, text, location)
        for part in text.split("\n"):
            self._read(part)

    def _tell_line(self, level, text, location):
        body = {"type": "log", "level": level, "text": text}
        self.emit({**body, "location": location} if location else body)

    def progress(self, text, shown):
        if shown:
            self.emit({"type": "log", "level": "info", "text": text})
        self._read(text)

    def optimizer_made(self):
        self._optimizer_made = True

    def optimizer_stepped(self):
        if not self._stepped:
            torch = sys.modules.get("torch")
            if torch is not None and torch.cuda.is_initialized():
                torch.cuda.synchronize()
            self._step_done()

    def scalar(self, tag, value, step):
        self.book.scalar(tag, value, step)
        self._observe()

    def saved(self, path):
        if self._watches:
            self.files.saved(path)

    # What the code says by `tinycats`.

    def log(self, values, **place):
        self.book.log(values, **place)
        self._observe()

    def checkpoint(self, path, epoch=None, val_acc=None):
        self._given = (epoch, val_acc)
        try:
            self.files.report(os.fspath(path))
        finally:
            self._given = (None, None)

    def sample(self, image, step=None, labels=(), columns=None):
        self._samples += 1
        number = self._samples if step is None else int(step)
        file = f"samples/step-{number:06d}.png"
        path = os.path.join(self._order["runDir"], *file.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _, used = save_picture(image, path, columns)
        names = [str(label) for label in labels]
        self.emit({"type": "sample", "step": number, "file": file, "labels": names, "columns": used})

    def _tell_checkpoint(self, file, size, written_ns):
        self.newest_checkpoint = os.path.join(self._order["runDir"], *file.split("/"))
        if "best" in os.path.basename(file).lower():
            self.best_checkpoint = self.newest_checkpoint
        epoch, val_acc = self._given
        epoch = self.book.epoch_of(written_ns) if epoch is None else int(epoch)
        accuracy = self.book.val_acc_of(epoch) if val_acc is None else float(val_acc)
        body = {"type": "checkpoint", "kind": "file", "file": file, "bytes": size}
        self.emit({**body, "epoch": max(0, epoch), "val_acc": accuracy})

    def _read(self, text):
        reading = self._reader.read(text) if self._watches else None
        if reading is not None:
            self.book.read(reading)
            self._observe()

    def _observe(self):
        if self.book.went_wrong and not self._told_not_finite:
            self._told_not_finite = True
            text = "A metric is not a finite number any more (NaN or infinite); such values are left out of the curves."
            self.emit({"type": "log", "level": "warning", "text": text})
        if self.book.observed and not self._optimizer_made:
            # Code without one of PyTorch's optimisers: its first metric says that it has trained.
            self._step_done()

    def _step_done(self):
        if not self._stepped:
            self._stepped = True
            self._channel.send({"type": "firstStep", "runId": self._order["runId"]})

    def _watch(self):
        ticks = 0
        while not self._over.wait(TICK_S):
            ticks += 1
            self.book.tick()
            if ticks % DEVICE_TICKS == 0:
                values = self._gpu()
                if values:
                    self.emit({"type": "device", **values})
            if self._watches and ticks % SCAN_TICKS == 0:
                self.files.scan()
