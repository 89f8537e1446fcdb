"""The state of the process that a run may change, taken before it and put back after it."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import random
import signal
import socket
import sys
import threading
import warnings

from tinycats._container.torch_state import TorchState


class ProcessState:
    """Everything is as it was when this was made, once `restore` has been called."""

    def __init__(self):
        self._argv, self._path, self._cwd = list(sys.argv), list(sys.path), os.getcwd()
        self._environ = dict(os.environ)
        self._streams = sys.stdout, sys.stderr, sys.stdin
        self._hooks = sys.excepthook, sys.displayhook, threading.excepthook
        self._signals = _signal_handlers()
        self._filters = list(warnings.filters)
        self._logging = _LoggingState()
        self._random = random.getstate()
        self._numpy = _numpy_random()
        self._limits = sys.getrecursionlimit(), gc.get_threshold(), gc.isenabled(), sys.getswitchinterval()
        self._timeout = socket.getdefaulttimeout()
        self._start_method = _start_method()
        self._torch = TorchState.taken()

    def restore(self):
        """Puts everything back; one part that fails does not keep the others from it. Returns the failures."""
        failures = []
        parts = [
            self._restore_process,
            lambda: _restore_signals(self._signals),
            self._restore_interpreter,
            lambda: self._logging.restore(),
            lambda: random.setstate(self._random),
            lambda: _restore_numpy(self._numpy),
            lambda: _restore_start_method(self._start_method),
            _close_figures,
            lambda: (self._torch or TorchState.defaults()).restore(),
        ]
        for part in parts:
            try:
                part()
            except Exception as error:
                failures.append(error)
        return failures

    def _restore_process(self):
        os.chdir(self._cwd)
        for name in set(os.environ) - set(self._environ):
            del os.environ[name]
        for name, value in self._environ.items():
            if os.environ.get(name) != value:
                os.environ[name] = value

    def _restore_interpreter(self):
        sys.argv[:], sys.path[:] = self._argv, self._path
        sys.stdout, sys.stderr, sys.stdin = self._streams
        sys.excepthook, sys.displayhook, threading.excepthook = self._hooks
        warnings.filters[:] = self._filters
        getattr(warnings, "_filters_mutated", lambda: None)()
        sys.setrecursionlimit(self._limits[0])
        gc.set_threshold(*self._limits[1])
        (gc.enable if self._limits[2] else gc.disable)()
        sys.setswitchinterval(self._limits[3])
        socket.setdefaulttimeout(self._timeout)
        sys.settrace(None)
        sys.setprofile(None)
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            if hasattr(sys, name):
                delattr(sys, name)


def _signal_handlers():
    handlers = {}
    for number in signal.valid_signals():
        try:
            handlers[number] = signal.getsignal(number)
        except (ValueError, OSError):
            continue
    return handlers


def _restore_signals(handlers):
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in handlers.items():
        current = signal.getsignal(number)
        # PyTorch's own, which minds DataLoader workers, is set once for the process.
        is_library = getattr(current, "__module__", "") == "torch.utils.data._utils.signal_handling"
        if current is not handler and handler is not None and not is_library:
            try:
                signal.signal(number, handler)
            except (ValueError, OSError):
                continue


class _LoggingState:
    def __init__(self):
        self._disabled = logging.root.manager.disable
        self._loggers = {
            logger: (logger.level, list(logger.handlers), logger.propagate, logger.disabled, list(logger.filters))
            for logger in _loggers()
        }
        self._class = logging.getLoggerClass()
        self._record = logging.getLogRecordFactory()

    def restore(self):
        logging.disable(self._disabled)
        logging.setLoggerClass(self._class)
        logging.setLogRecordFactory(self._record)
        fresh = (logging.NOTSET, [], True, False, [])
        for logger in _loggers():
            level, handlers, logger.propagate, logger.disabled, filters = self._loggers.get(logger, fresh)
            logger.setLevel(level)
            for handler in list(logger.handlers):
                if handler not in handlers:
                    logger.removeHandler(handler)
                    handler.close()
            logger.handlers[:], logger.filters[:] = handlers, filters


def _loggers():
    named = logging.root.manager.loggerDict.values()
    return [logging.root, *(logger for logger in named if isinstance(logger, logging.Logger))]


def _numpy_random():
    numpy = sys.modules.get("numpy")
    return numpy.random.get_state() if numpy is not None else None


def _restore_numpy(state):
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return
    if state is None:
        numpy.random.seed(None)
    else:
        numpy.random.set_state(state)


def _start_method():
    context = sys.modules.get("multiprocessing.context")
    return getattr(context and context._default_context, "_actual_context", None)


def _restore_start_method(actual):
    """`set_start_method` may be called once for a process: each run is one."""
    context = sys.modules.get("multiprocessing.context")
    if context is not None:
        context._default_context._actual_context = actual


def _close_figures():
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
        importlib.import_module("matplotlib").rcdefaults()
