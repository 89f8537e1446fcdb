"""`logging` and `warnings`: records that would be printed become log events with their level and their place."""

from __future__ import annotations

import logging
import os
import warnings

from tinycats._container.capture import CapturedStream


def level_name(number):
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"


def listen(tell):
    """`tell(level, text, location)` hears of each record that a handler would have printed, as it formats it."""
    emit = logging.StreamHandler.emit
    owner = os.getpid()

    def emit_or_tell(handler, record):
        stream = handler.stream
        # A forked child prints, and its parent reads.
        is_ours = isinstance(stream, CapturedStream) and os.getpid() == owner
        if isinstance(handler, logging.FileHandler) or not is_ours:
            return emit(handler, record)
        try:
            text = handler.format(record)
            tell(level_name(record.levelno), text, place(record.pathname, record.lineno))
        except Exception:  # as logging does: a broken format string does not end the training
            handler.handleError(record)

    logging.StreamHandler.emit = emit_or_tell

    show = warnings.showwarning

    def show_or_tell(message, category, filename, lineno, file=None, line=None):
        if file is not None or os.getpid() != owner:
            return show(message, category, filename, lineno, file, line)
        tell("warning", f"{category.__name__}: {message}", place(filename, lineno))

    warnings.showwarning = show_or_tell


def place(path, line):
    """Where in a file; None where there is no such file."""
    if not path or line is None or line < 1 or not os.path.isfile(path):
        return None
    return {"file": os.path.abspath(path), "line": line}
