"""How much of what a run prints its log takes: many lines at once, and then so many a second for as long as it goes on."""

from __future__ import annotations

import collections
import threading
import time

LINES_AT_ONCE = 20_000
LINES_A_SECOND = 100
LINE_LENGTH = 200
"""A longer line counts as several."""
LAST_LINES = 50
"""Lines that were left out and are told all the same where they turn out to be the last."""

_WARNING = (
    f"The code prints more than its log takes, which is {LINES_AT_ONCE} lines at once and {LINES_A_SECOND} a second after that: "
    "lines are left out until it prints less. Metrics are read from all of them. Write what is to be kept whole to a file."
)


class LogBudget:
    """Safe for several threads."""

    def __init__(self, tell, clock=time.monotonic):
        """`tell(level, text, location)` takes what is in the budget, and what is said of the rest."""
        self._tell = tell
        self._clock = clock
        self._lock = threading.RLock()
        self._tokens = float(LINES_AT_ONCE)
        self._filled_at = clock()
        self._warned = False
        self._left_out = 0
        self._newest = collections.deque(maxlen=LAST_LINES)

    def take(self, level, text, location=None):
        with self._lock:
            now = self._clock()
            self._tokens = min(LINES_AT_ONCE, self._tokens + (now - self._filled_at) * LINES_A_SECOND)
            self._filled_at = now
            cost = 1 + len(text) // LINE_LENGTH
            # Once closed it opens again for a second's worth of lines, not for one line here and there.
            if self._tokens < (LINES_A_SECOND if self._left_out else cost):
                self._left_out += 1
                self._newest.append((level, text, location))
                if not self._warned:
                    self._warned = True
                    self._tell("warning", _WARNING, None)
                return
            self._tokens -= cost
            self._say_what_is_missing(self._left_out)
            self._newest.clear()
            self._tell(level, text, location)

    def close(self):
        """The last lines are told whatever the budget."""
        with self._lock:
            self._say_what_is_missing(self._left_out - len(self._newest))
            for level, text, location in self._newest:
                self._tell(level, text, location)
            self._newest.clear()

    def _say_what_is_missing(self, count):
        self._left_out = 0
        if count > 0:
            self._tell("info", f"… {count} lines were left out.", None)
