"""Memory that is held from run to run."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

from tinycats._container.torch_state import free_cuda

NOTABLE_BYTES = 200 * 2**20
"""Growth that is told of; and how much more it has to be to be told of again."""
_LEAST_BYTES = 32 * 2**20


def collect():
    """Gives back what can be given back."""
    gc.collect()
    free_cuda()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        pass


def resident_bytes():
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def cuda_bytes():
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    return sum(torch.cuda.memory_allocated(index) for index in range(torch.cuda.device_count()))


class MemoryWatch:
    """Compares what is held after each run with the least that was. The first run is measured, not judged."""

    def __init__(self, measures=(resident_bytes, cuda_bytes)):
        self._watches = [_Growth(measure) for measure in measures]
        self._runs = 0

    def after_run(self):
        """(bytes, number of the run that they are held since), or None where there is nothing to tell."""
        self._runs += 1
        found = [watch.after_run(self._runs) for watch in self._watches]
        return max((growth for growth in found if growth), default=None)


class _Growth:
    def __init__(self, measure):
        self._measure = measure
        self._least = None
        self._since = None
        self._told = 0

    def after_run(self, number):
        held = self._measure()
        if self._least is None or held <= self._least:
            self._least, self._since, self._told = held, None, 0
            return None
        growth = held - self._least
        if growth < _LEAST_BYTES:
            self._since, self._told = None, 0
            return None
        self._since = self._since or number
        if growth < NOTABLE_BYTES or growth < self._told + NOTABLE_BYTES:
            return None
        self._told = growth
        return growth, self._since
