"""What went wrong in the user's code, in words and with the place."""

from __future__ import annotations

import os
import re
import sys
import traceback

from tinycats._container.logs import place
from tinycats._container.workspace import OWN_ROOT

LONGEST_TRACEBACK = 16_000
_FRAME = re.compile(r'^\s*File "(.+)", line (\d+)', re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"


class RunFailure(Exception):
    """A run cannot go on for a reason that the user can mend. `code` as in the protocol's RunError."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def describe(error, owns):
    """(text, location) of an exception: its traceback without our own frames, and the user's innermost line."""
    if isinstance(error, SyntaxError) and error.filename:
        where = place(error.filename, error.lineno)
        line = (error.text or "").rstrip()
        caret = f"\n    {line.strip()}" if line else ""
        return f"{os.path.basename(error.filename)}:{error.lineno}: {type(error).__name__}: {error.msg}{caret}", where
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_own(frame.filename)]
    mine = [frame for frame in frames if owns(frame.filename)]
    inner = (mine or frames)[-1:]
    location = place(inner[0].filename, inner[0].lineno) if inner else None
    return _text(error, frames), _place_in_worker(error, owns) or location


def message_of(error):
    """One line: what kind of error, and what it says."""
    if isinstance(error, SyntaxError):
        return f"{os.path.basename(error.filename or '?')}:{error.lineno}: {error.msg}"
    said = _said(error)
    if _TRACEBACK in said:
        # What a worker process has said goes along as text; its last line is the exception.
        return f"{said.splitlines()[-1]} (in a worker process)"
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        version = ".".join(str(part) for part in sys.version_info[:3])
        return f"{text} (Python {version}, {sys.executable})"
    return text


def _said(error):
    try:
        return str(error).strip()
    except Exception as problem:
        return f"(its text cannot be had: {type(problem).__name__})"


def _place_in_worker(error, owns):
    """The user's innermost line of an exception that came as text from a DataLoader's or a pool's worker process."""
    for each in (error, error.__cause__):
        said = "" if each is None else _said(each)
        found = [(path, int(line)) for path, line in _FRAME.findall(said) if owns(path)] if _TRACEBACK in said or '"""' in said else []
        if found:
            return place(*found[-1])
    return None


def _text(error, frames):
    lines = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        inner = [frame for frame in traceback.extract_tb(cause.__traceback__) if not _is_own(frame.filename)]
        lines += [*_text(cause, inner).split("\n"), "", "which led to:", ""]
    if frames:
        lines.append("Traceback (most recent call last):")
        lines += "".join(traceback.format_list(frames)).rstrip().split("\n")
    lines += "".join(traceback.format_exception_only(type(error), error)).rstrip().split("\n")
    text = "\n".join(lines)
    return text if len(text) <= LONGEST_TRACEBACK else text[: LONGEST_TRACEBACK // 2] + "\n…\n" + text[-LONGEST_TRACEBACK // 2 :]


def _is_own(filename):
    return filename.startswith(OWN_ROOT + os.sep) or filename.startswith("<frozen importlib")
