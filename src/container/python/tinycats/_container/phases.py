"""Times named phases and tells of each when it is done. Phases inside phases name the one around them."""

from __future__ import annotations

import time
from contextlib import contextmanager


class PhaseRecorder:
    def __init__(self, scope, origin_ms, tell):
        """`origin_ms`: from when phases are counted, milliseconds since the epoch; `tell` takes the phase."""
        self._scope = scope
        self._origin_ms = origin_ms
        self._tell = tell
        self._open = []

    @contextmanager
    def phase(self, name):
        """A phase that fails is not told of."""
        start_ms = self.now()
        within = self._open[-1] if self._open else None
        self._open.append(name)
        try:
            yield
            self._add(name, start_ms, within)
        finally:
            self._open.pop()

    def since(self, name, start_ms):
        """A phase that began before this process could time it and ends now."""
        self._add(name, start_ms, None)

    def now(self):
        """Milliseconds since the origin."""
        return time.time() * 1000 - self._origin_ms

    def _add(self, name, start_ms, within):
        phase = {
            "name": name,
            "scope": self._scope,
            "startMs": start_ms,
            "durationMs": max(0.0, self.now() - start_ms),
        }
        if within is not None:
            phase["within"] = within
        self._tell(phase)
