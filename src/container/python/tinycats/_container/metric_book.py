"""Makes of what is read and logged the events that the curves are drawn from."""

from __future__ import annotations

import collections
import threading
import time
from typing import NamedTuple

from tinycats._container.metric_names import CANONICAL, as_share, canonical, is_finite, number

SETTLE_S = 0.3
"""How long a row of an epoch that came from printed lines waits for another line about the same epoch."""
MOST_A_SECOND = 20
"""Events of single steps; what comes faster is averaged."""
MOST_MARKS = 2_000


class Mark(NamedTuple):
    """When an epoch was named."""

    at_ns: int
    epoch: int
    is_end: bool


class MetricBook:
    """Safe for several threads: lines are printed by any of them."""

    def __init__(self, emit, clock=time.monotonic, wall_ns=time.time_ns):
        """`emit` takes an event's body; `wall_ns` is the clock that stamps files."""
        self._emit = emit
        self._clock = clock
        self._wall_ns = wall_ns
        self._marks = collections.deque(maxlen=MOST_MARKS)
        self._lock = threading.RLock()
        self._shift = None
        self._epoch = None
        self._epochs = None
        self._row = None
        self._rows = {}
        self._has_validation = False
        self._steps_seen = 0
        self._unsent = {}
        self._unsent_at = None
        self._step_sent_at = float("-inf")
        self._finite = True
        self._from_log = False
        self._speaks = False
        self.best_val_acc = None
        self.observed = False
        """Whether anything was told."""

    @property
    def epoch(self):
        """The epoch that was named last, 0 for none."""
        return self._epoch or 0

    def val_acc_of(self, epoch):
        return self._rows.get(epoch, {}).get("val_acc")

    def epoch_of(self, stamp_ns):
        """
        The epoch that a file of that time is of. What is said of a whole epoch is said at its end, be it after or before its
        file is written: the nearer one counts.
        """
        with self._lock:
            before = next((mark for mark in reversed(self._marks) if mark.at_ns <= stamp_ns), None)
            after = next((mark for mark in self._marks if mark.at_ns > stamp_ns), None)
            is_under_way = before is not None and not before.is_end
            if after is not None and after.is_end and not is_under_way:
                if before is None or after.at_ns - stamp_ns < stamp_ns - before.at_ns:
                    return after.epoch
            return 0 if before is None else before.epoch

    def _mark(self, is_end):
        """The epoch is named now, by what is said of it as a whole (`is_end`) or in its course."""
        last = self._marks[-1] if self._marks else None
        if self._epoch is not None and (last is None or last.epoch != self._epoch or (is_end and not last.is_end)):
            self._marks.append(Mark(self._wall_ns(), self._epoch, is_end))

    def log(self, values, epoch=None, epochs=None, step=None, steps=None):
        """What the code says by `tinycats.log`: told at once."""
        with self._lock:
            self._speaks = True
            made = self._numbers(values)
            if epoch is not None and step is None:
                self._name_epoch(int(epoch), epochs, counts_from_zero=False)
                self._mark(is_end=True)
                self._take_row(made)
                self._send_row()
            else:
                if epoch is not None:
                    self._name_epoch(int(epoch), epochs, counts_from_zero=False)
                    self._mark(is_end=False)
                self._take_step(made, step, steps, is_given=True)

    def read(self, reading):
        """What a line says; of code that says it by `tinycats.log` its lines are not asked."""
        with self._lock:
            if self._speaks:
                return
            self._from_log = True
            try:
                self._read(reading)
            finally:
                self._from_log = False

    def _read(self, reading):
        if reading.epoch is not None:
            self._name_epoch(reading.epoch, reading.epochs, counts_from_zero=True)
            self._mark(is_end=bool(reading.values) and reading.step is None)
        if reading.step is not None and reading.step != reading.steps:
            self._take_step(self._numbers(reading.values), reading.step, reading.steps)
        elif reading.values:
            values = self._numbers(reading.values)
            has_validation = any(name.startswith("val_") for name in values)
            if self._epoch is not None and (has_validation or reading.step is None):
                self._take_row(values)
                if has_validation and any(name.startswith("train_") for name in values):
                    self._send_row()
                elif has_validation:
                    self._has_validation = True
                elif reading.epoch is not None and len(self._rows) > 1 and not self._has_validation:
                    self._send_row()
            else:
                self._take_step(values, reading.step, reading.steps)

    def scalar(self, name, value, step):
        """A TensorBoard scalar: those of one step go together, and those of steps that come fast are averaged."""
        with self._lock:
            made = self._numbers({name: value})
            step = None if step is None else int(step)
            if self._unsent and self._unsent.get("step") != step:
                is_due = self._clock() - self._step_sent_at >= 1 / MOST_A_SECOND
                if is_due or not made.keys() <= self._unsent.get("sums", {}).keys():
                    self._send_steps()
                else:
                    self._unsent["step"] = step
            self._unsent.setdefault("step", step)
            self._take_unsent(made)

    def tick(self):
        """To be called now and then: tells what has waited long enough."""
        with self._lock:
            now = self._clock()
            if self._row is not None and self._has_validated(self._row) and now - self._row["at"] >= SETTLE_S:
                self._send_row()
            if self._unsent and now - self._unsent_at >= SETTLE_S:
                self._send_steps()

    def close(self):
        """Tells everything."""
        with self._lock:
            self._send_steps()
            self._send_row()

    @property
    def went_wrong(self):
        """Whether a value was not a finite number since this was asked last."""
        wrong, self._finite = not self._finite, True
        return wrong

    def _numbers(self, values):
        made = {}
        for name, raw in values.items():
            value = number(raw)
            if is_finite(value):
                known = canonical(str(name))
                made[known] = as_share(known, value)
            elif value is not None:
                self._finite = False
        if made:
            self.observed = True
        return made

    def _name_epoch(self, epoch, epochs, counts_from_zero):
        """Epochs count from 1: of code that prints its first one as 0, all are one more."""
        if self._shift is None:
            self._shift = 1 if counts_from_zero and epoch == 0 else 0
        epoch = max(0, epoch + self._shift)
        if epochs:
            self._epochs = max(int(epochs), epoch)
        if epoch != self._epoch:
            self._send_steps()
            self._send_row()
            self._epoch = epoch

    def _take_row(self, values):
        if not values:
            return
        if self._row is None:
            # A later line about an epoch that was told of before adds to it.
            self._row = {"values": dict(self._rows.get(self._epoch, {})), "from_log": self._from_log}
        self._row["values"].update(values)
        self._row["at"] = self._clock()
        self._rows[self._epoch] = self._row["values"]

    @staticmethod
    def _has_validated(row):
        return any(name.startswith("val_") for name in row["values"])

    def _send_row(self):
        row, self._row = self._row, None
        if row is None:
            return
        values, epoch = row["values"], self._epoch
        known = {name: value for name, value in values.items() if name in CANONICAL}
        others = {name: value for name, value in values.items() if name not in CANONICAL}
        mark = {"fromLog": True} if row["from_log"] else {}
        epochs = max(self._epochs, epoch) if self._epochs else 0
        if known:
            self._emit({"type": "epoch", "epoch": epoch, "epochs": epochs, **known, **mark})
        if others:
            self._emit({"type": "metrics", "epoch": epoch, "step": 0, "steps": 0, "values": others, **mark})
        accuracy = known.get("val_acc")
        if accuracy is not None and (self.best_val_acc is None or accuracy > self.best_val_acc):
            self.best_val_acc = accuracy

    def _take_step(self, values, step, steps, is_given=False):
        if not values:
            return
        self._steps_seen += 1
        if self._unsent and self._unsent.get("step") is None:
            self._send_steps()
        place = self._steps_seen if step is None else int(step)
        self._unsent.update(from_log=self._from_log, step=place, steps=int(steps) if steps else 0, within=not is_given and bool(steps))
        self._take_unsent(values)
        if self._clock() - self._step_sent_at >= 1 / MOST_A_SECOND:
            self._send_steps()

    def _take_unsent(self, values):
        if self._unsent_at is None:
            self._unsent_at = self._clock()
        sums = self._unsent.setdefault("sums", {})
        for name, value in values.items():
            total, count = sums.get(name, (0.0, 0))
            sums[name] = (total + value, count + 1)

    def _send_steps(self):
        unsent, self._unsent, self._unsent_at = self._unsent, {}, None
        if not unsent.get("sums"):
            return
        self._step_sent_at = self._clock()
        values = {name: total / count for name, (total, count) in unsent["sums"].items()}
        step, steps = unsent.get("step"), unsent.get("steps", 0)
        step = self._steps_seen if step is None else max(0, step)
        epoch, epochs = self._epoch, self._epochs
        if unsent.get("within") and epoch and epochs and "train_loss" in values:
            self._emit_progress(values, epoch, epochs, step, steps)
        # The place over the whole run, where a progress bar counts within an epoch.
        if unsent.get("within") and epoch:
            step, steps = (epoch - 1) * steps + step, (epochs or 0) * steps
        body = {"type": "metrics", "step": step, "steps": max(steps, step) if steps else 0, "values": values}
        if unsent.get("from_log"):
            body["fromLog"] = True
        self._emit({**body, "epoch": epoch} if epoch else body)

    def _emit_progress(self, values, epoch, epochs, step, steps):
        rest = {name: values[name] for name in ("lr", "images_per_second") if name in values}
        body = {"type": "step", "epoch": epoch, "epochs": epochs, "step": step, "steps": steps}
        self._emit({**body, "loss": values["train_loss"], **rest})
