"""A stop becomes a KeyboardInterrupt, or what the training code made of SIGINT, in the main thread."""

from __future__ import annotations

import functools
import signal
import sys
import threading

AGAIN_S = 0.05
"""A signal that comes just before a wait begins does not end it: it is sent again until a handler has run."""

_install = signal.signal
_installed = signal.getsignal
_handled = threading.Event()


def watch_handlers():
    """From now on every handler of SIGINT says that it has run, the code's own ones included."""

    @functools.wraps(_install)
    def install(number, handler):
        marked = _Marked(handler) if number == signal.SIGINT and callable(handler) else handler
        return _unmarked(_install(number, marked))

    @functools.wraps(_installed)
    def installed(number):
        return _unmarked(_installed(number))

    signal.signal, signal.getsignal = install, installed
    ignore_interrupts()


def ignore_interrupts():
    """Between runs nobody is there to be interrupted. A handler, not SIG_IGN, which children would inherit."""
    signal.signal(signal.SIGINT, _ignored)


def _ignored(_signal, _frame):
    pass


class _Marked:
    def __init__(self, handler):
        self.handler = handler

    def __call__(self, number, frame):
        _handled.set()
        return self.handler(number, frame)


def _unmarked(handler):
    return handler.handler if isinstance(handler, _Marked) else handler


class StopSwitch:
    """The stop of one run, which may come before the run begins and more than once."""

    def __init__(self):
        self.requested = False
        self._armed = False
        self._lock = threading.Lock()

    def request(self):
        """From any thread. A real signal: it ends a wait in C as well, and reaches a handler of the code's own."""
        with self._lock:
            self.requested = True
        self._interrupt()

    def arm(self):
        """From now on a stop interrupts the main thread, which calls this. Raises at once for one that came before."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = self._unraisable
        with self._lock:
            self._armed = True
            requested = self.requested
        if requested:
            raise KeyboardInterrupt

    def disarm(self):
        """Nothing interrupts the main thread any more, not even a stop that is on its way."""
        while True:
            try:
                ignore_interrupts()
                with self._lock:
                    self._armed = False
                return
            except KeyboardInterrupt:
                continue

    def _interrupt(self):
        _handled.clear()
        threading.Thread(target=self._send, name="tinycats-stop", daemon=True).start()

    def _send(self):
        main = threading.main_thread().ident
        while True:
            with self._lock:
                if not self._armed or _handled.is_set():
                    return
                signal.pthread_kill(main, signal.SIGINT)
            if _handled.wait(AGAIN_S):
                return

    def _unraisable(self, unraisable):
        """An interrupt that fell into a destructor or a callback would be lost: it comes again."""
        if self._armed and issubclass(unraisable.exc_type, KeyboardInterrupt):
            threading.Timer(AGAIN_S, self._interrupt).start()
        else:
            sys.__unraisablehook__(unraisable)
