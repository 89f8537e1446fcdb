"""The trainer's life: enter, then runs, in the main thread; a second thread hears the supervisor."""

from __future__ import annotations

import faulthandler
import os
import queue
import sys
import threading

from tinycats._container import children
from tinycats._container.channel import Channel
from tinycats._container.interrupts import StopSwitch, watch_handlers


_leave = os._exit


class _Ears:
    """Hears the supervisor, whatever the main thread does."""

    def __init__(self, channel):
        self._channel = channel
        self._stop = None
        self.orders = queue.SimpleQueue()

    def listen(self):
        for message in self._channel.messages():
            kind = message["type"]
            if kind == "stop":
                if self._stop is not None:
                    self._stop.request()
            elif kind == "run":
                # It is there before the run begins, so that no stop comes too early.
                self._stop = StopSwitch()
                self.orders.put((message, self._stop))
            elif kind == "enter":
                self.orders.put((message, None))
        # Without a supervisor nobody stores what happens here.
        children.kill_descendants()
        _leave(0)


def main():
    channel = Channel.from_environment()
    watch_handlers()
    children.bind_forks()
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    if "DISPLAY" not in os.environ:
        os.environ.setdefault("MPLBACKEND", "Agg")
    ears = _Ears(channel)
    threading.Thread(target=ears.listen, name="tinycats-reader", daemon=True).start()
    _become_main_module()
    session = None
    while True:
        message, stop = ears.orders.get()
        if message["type"] == "enter":
            from tinycats._container.session import Session

            session = Session(channel)
            faulthandler.enable(session.last_words, all_threads=False)
            session.enter(message)
        elif session is not None:
            session.run(message, stop)


def _become_main_module():
    """An empty `__main__`: child processes that multiprocessing spawns must not start another trainer."""
    module = type(sys)("__main__")
    module.__spec__ = None
    module.__builtins__ = __builtins__
    # The former one's functions, this one's caller among them, still need their names.
    sys.modules["__tinycats_main__"] = sys.modules["__main__"]
    sys.modules["__main__"] = module
