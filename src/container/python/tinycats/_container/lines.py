"""Text as it is printed, piece by piece, made into lines; a progress bar's many states into a few."""

from __future__ import annotations

import re
import time

LONGEST_LINE = 16_384
PROGRESS_READ_S = 0.2
"""The state of a progress bar is read for metrics no more often than this."""
PROGRESS_SHOWN_S = 10.0
"""A progress bar that goes on is shown no more often than this; its last state always is."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class LineAssembler:
    """One stream of text. Not for two threads at once."""

    def __init__(self, line, progress, clock=time.monotonic):
        """`line` takes each finished line, `progress` now and then the state of a line that is written over again."""
        self._line = line
        self._progress = progress
        self._clock = clock
        self._rest = ""
        self._read_at = -PROGRESS_READ_S
        self._shown_at = clock()

    def feed(self, text):
        *finished, rest = (self._rest + text).split("\n")
        self._rest = ""
        for line in finished:
            self._finish(line)
        if "\r" in rest:
            end = "\r" if rest.endswith("\r") else ""
            state = _last_state(rest)
            self._tell_progress(state)
            rest = state + end
        if len(rest) > LONGEST_LINE:
            self._finish(rest)
            rest = ""
        self._rest = rest

    def flush(self):
        """The line that was not ended is one all the same."""
        rest, self._rest = self._rest, ""
        if rest:
            self._finish(rest)

    def _finish(self, raw):
        text = clean(_last_state(raw))
        if text:
            self._shown_at = self._clock()
            self._line(text)

    def _tell_progress(self, raw):
        now = self._clock()
        if now - self._read_at < PROGRESS_READ_S:
            return
        text = clean(raw)
        if text:
            self._read_at = now
            shown = now - self._shown_at >= PROGRESS_SHOWN_S
            if shown:
                self._shown_at = now
            self._progress(text, shown)


def clean(text):
    """Without colours, cursor movements and trailing space; cut off where it is very long."""
    text = _CONTROL.sub("", text).rstrip()
    return text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "…"


def _last_state(line):
    """What a terminal would show of a line in which the cursor went back to its beginning."""
    states = line.rstrip("\r").split("\r")
    return next((state for state in reversed(states) if state.strip()), "")
