"""What one trainer does: the enter hook of its program, then one run after the other."""

from __future__ import annotations

import gc

from tinycats import _api
from tinycats._container import gpu, library_hooks, logs, memory, warm_up
from tinycats._container.capture import Capture
from tinycats._container.exits import tell_before_exit
from tinycats._container.failures import RunFailure, describe, message_of
from tinycats._container.import_hooks import ImportHooks
from tinycats._container.metric_lines import LineReader
from tinycats._container.phases import PhaseRecorder
from tinycats._container.run import Run
from tinycats._container.stand_in import install_modal


class Session:
    def __init__(self, channel):
        self._channel = channel
        self._reporter = None
        self._program = None
        self._reader = LineReader()
        self._gpu = None
        self._memory = memory.MemoryWatch()
        self._capture = Capture(self._line, self._progress)
        logs.listen(self.log)
        tell_before_exit(self._tell_everything)
        hooks = ImportHooks()
        hooks.install()
        library_hooks.listen(hooks, self)
        install_modal()

    @property
    def last_words(self):
        return self._capture.last_words

    def enter(self, order):
        recorder = PhaseRecorder("enter", order["spawnedAt"], lambda phase: self._channel.send({"type": "phase", "phase": phase}))
        recorder.since("process start", 0)
        program = order["program"]
        try:
            self._program = _make(program, self.log)
            engine, device = self._program.enter(order, recorder)
            self._gpu = gpu.open_gpu()
            facts = warm_up.device_facts(device, self._gpu)
            self._capture.flush()
            memory.collect()
            # What is there now stays: later collections need not look at it.
            gc.freeze()
        except BaseException as error:
            text, _ = describe(error, lambda _: False)
            print(text, file=self.last_words)
            self._channel.send({"type": "enterFailed", "message": message_of(error)})
            return
        self._channel.send({"type": "ready", "engine": engine, "device": facts["name"], "deviceFacts": facts})

    def run(self, order, stop):
        """Trains one run and tells how it ended; never raises."""
        self._reader = LineReader(order.get("program", {}).get("metricPatterns") or ())
        sample = self._gpu.sample if self._gpu is not None else lambda: None
        run = Run(order, stop, self._program, self._reader, self._channel, sample, self._capture, self._memory)
        self._reporter = run.reporter
        _api.attach(run.reporter)
        for problem in self._reader.problems:
            self.log("warning", problem)
        try:
            outcome = run.train()
        except BaseException as error:
            outcome = {"status": "failed", "output": None, "val_acc": None, "error": {"code": "internal", "message": message_of(error)}}
            print(describe(error, lambda _: False)[0], file=self.last_words)
        finally:
            _api.attach(None)
            self._reporter = None
        self._channel.send({"type": "ended", "runId": order["runId"], **outcome})

    # What is heard while there may be a run or not.

    def log(self, level, text, location=None):
        reporter = self._reporter
        if reporter is not None:
            reporter.line(level, text, location)
        else:
            message = {"type": "log", "level": level, "text": text}
            self._channel.send({**message, "location": location} if location else message)

    def _tell_everything(self):
        self._capture.flush()
        self._channel.flush()

    def _line(self, level, text):
        self.log(level, text)

    def _progress(self, text, shown):
        if self._reporter is not None:
            self._reporter.progress(text, shown)

    def optimizer_made(self):
        if self._reporter is not None:
            self._reporter.optimizer_made()

    def optimizer_stepped(self):
        if self._reporter is not None:
            self._reporter.optimizer_stepped()

    def scalar(self, tag, value, step):
        if self._reporter is not None:
            self._reporter.scalar(tag, value, step)

    def saved(self, path):
        if self._reporter is not None:
            self._reporter.saved(path)


def _make(program, log):
    if program["kind"] == "python":
        from tinycats._container.user_program import UserProgram

        return UserProgram(program, log)
    if program["kind"] == "torch":
        from tinycats._recipes.program import RecipeProgram

        return RecipeProgram(log)
    raise RunFailure("internal", f'a Python trainer has no program of the kind "{program["kind"]}"')
