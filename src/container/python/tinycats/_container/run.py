"""One run of a program: trains, reports, and leaves the process as it found it."""

from __future__ import annotations

import os

from tinycats._container import memory
from tinycats._container.children import Offspring, close_loaders
from tinycats._container.failures import RunFailure, describe, message_of
from tinycats._container.phases import PhaseRecorder
from tinycats._container.process_state import ProcessState
from tinycats._container.reporter import Reporter
from tinycats._container.returned import returned

_FAILED = {"status": "failed", "output": None, "val_acc": None}


class Run:
    def __init__(self, order, stop, program, reader, channel, gpu, capture, memory_watch):
        self._order = order
        self._stop = stop
        self._program = program
        self._capture = capture
        self._memory = memory_watch
        self._files = []
        self.reporter = Reporter(order, program, reader, channel, gpu)
        self._recorder = PhaseRecorder("run", order["askedAt"], self._tell_phase)

    def train(self):
        """The outcome, as the supervisor hears it."""
        offspring = Offspring()
        state = ProcessState()
        try:
            os.environ.update(
                TINY_CATS_RUN_DIR=self._order["runDir"],
                TINY_CATS_OUTPUTS_DIR=self._order["outputsDir"],
                TINY_CATS_DATA_DIR=self._order["dataDir"],
            )
            os.chdir(self._program.folder)
            self.reporter.start()
            outcome = self._guarded()
        finally:
            self._stop.disarm()
        self._capture.flush()
        self.reporter.close()
        self._finish(outcome)
        self._clean(state, offspring)
        return outcome

    def _guarded(self):
        """Runs the user's code; an exception becomes the outcome and a log line with its place."""
        try:
            self._stop.arm()
            train = self._program.prepare(self._order, self._recorder, self.reporter.emit)
            self._tell_files()
            if not self._program.tells_all:
                self.reporter.emit({"type": "state", "state": "training"})
            value = train()
            self._stop.disarm()
            if self._program.tells_all:
                return value
            return {**_done(value, self._stop.requested), "returned": returned(value)}
        except BaseException as error:
            self._stop.disarm()
            # Before the frames of the exception let go of them.
            close_loaders()
            return self._failure(error)

    def _failure(self, error):
        if self._stop.requested and _comes_of_stop(error):
            return {**_FAILED, "status": "stopped"}
        if isinstance(error, SystemExit):
            if error.code in (None, 0):
                return _done(None, False)
            said = error.code if isinstance(error.code, str) else f"the code ended itself with exit code {error.code}"
            return self._told(error, said)
        if isinstance(error, RunFailure):
            return {**_FAILED, "error": {"code": error.code, "message": str(error)}}
        return self._told(error, message_of(error))

    def _told(self, error, message):
        text, location = describe(error, self._program.owns)
        self._capture.flush()
        self.reporter.line("error", text, location)
        failure = {"code": "user_code", "message": message}
        return {**_FAILED, "error": {**failure, "location": location} if location else failure}

    def _finish(self, outcome):
        """What the run has come to besides: its best accuracy, and where its result lies."""
        self._tell_files()
        given = outcome.get("returned") if isinstance(outcome.get("returned"), dict) else {}
        accuracy = given.get("val_acc")
        if not isinstance(accuracy, (int, float)) or isinstance(accuracy, bool):
            accuracy = self.reporter.book.best_val_acc
        outcome.setdefault("val_acc", None)
        if outcome["val_acc"] is None:
            outcome["val_acc"] = accuracy
        output = given.get("output")
        if isinstance(output, str) and outcome["output"] is None:
            path = os.path.abspath(os.path.join(self._program.folder, output))
            outcome["output"] = path if os.path.exists(path) else None
        if outcome["output"] is None and not self._program.tells_all:
            outcome["output"] = self.reporter.best_checkpoint or self.reporter.newest_checkpoint

    def _clean(self, state, offspring):
        # Its frames hold what the code made: without them it can go.
        memory.collect()
        killed, threads = offspring.reap()
        failures = state.restore()
        if killed:
            self._say("warning", f"{killed} child processes of the run had to be killed.")
        if threads:
            self._say("warning", f"Threads of the run still run: {', '.join(threads)}.")
        for failure in failures:
            self._say("warning", f"Not everything could be put back after the run: {message_of(failure)}")
        memory.collect()
        grown = self._memory.after_run()
        if grown is not None:
            self.reporter.emit({"type": "held_memory", "bytes": grown[0], "sinceRun": grown[1]})

    def _say(self, level, text):
        self.reporter.emit({"type": "log", "level": level, "text": text})

    def _tell_files(self):
        files = self._program.files()
        if files and files != self._files:
            self._files = files
            self.reporter.emit({"type": "files", "files": files})

    def _tell_phase(self, phase):
        # The start-up waterfall is the first attempt's.
        if self._order["attempt"] == 1:
            self.reporter.emit({"type": "phase", "phase": phase})


def _done(value, stopped):
    return {"status": "stopped" if stopped else "completed", "output": None, "val_acc": None}


def _comes_of_stop(error):
    """Whether the exception is the stop itself, a way out that the code took, or what came of it on the way."""
    if isinstance(error, SystemExit):
        return True
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
