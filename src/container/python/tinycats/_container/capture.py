"""What the code prints, be it by Python, by C or by a child process, line by line."""

from __future__ import annotations

import ctypes
import io
import os
import re
import sys
import threading

from tinycats._container.lines import LineAssembler

_LEVEL_WORDS = re.compile(
    r"^.{0,60}?\b(?:(DEBUG)|(INFO)|(WARN(?:ING)?)|(ERROR|CRITICAL|FATAL))\b", re.DOTALL
)
_TROUBLE = re.compile(r"\b(error|exception|fatal|traceback|segmentation fault)\b", re.IGNORECASE)
_WARNING = re.compile(r"\bwarn(ing)?\b", re.IGNORECASE)


def level_of(text, is_error_stream):
    """The level that a printed line names itself; of stderr also what its words say."""
    word = _LEVEL_WORDS.match(text)
    if word:
        return ("debug", "info", "warning", "error")[word.lastindex - 1]
    if is_error_stream and _TROUBLE.search(text):
        return "error"
    if is_error_stream and _WARNING.search(text):
        return "warning"
    return "info"


class CapturedStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`: what Python prints becomes log events in the order in which it was printed."""

    encoding = "utf-8"
    errors = "replace"
    newlines = None
    line_buffering = True
    mode = "w"

    def __init__(self, fd, assembler):
        self._fd = fd
        self._assembler = assembler
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self.name = "<stdout>" if fd == 1 else "<stderr>"
        self.buffer = _Bytes(self)

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if os.getpid() != self._owner:
            # A forked child: its parent reads the pipe.
            os.write(self._fd, text.encode("utf-8", "replace"))
        else:
            with self._lock:
                self._assembler.feed(text)
        return len(text)

    def end_line(self):
        with self._lock:
            self._assembler.flush()

    def writable(self):
        return True

    def isatty(self):
        return False

    def fileno(self):
        return self._fd

    def reconfigure(self, **_options):
        """There is nothing to configure."""

    def close(self):
        """Stays open: it outlives whoever closes it."""


class _Bytes(io.RawIOBase):
    """The `buffer` of a captured stream."""

    def __init__(self, stream):
        self._stream = stream
        self.name = stream.name

    def write(self, data):
        self._stream.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def writable(self):
        return True

    def fileno(self):
        return self._stream.fileno()

    def close(self):
        """Stays open, like its stream."""


class _Pipe:
    """Stands behind file descriptor 1 or 2, for all that does not print by `sys.stdout`."""

    def __init__(self, fd, assembler):
        self._fd = fd
        self._assembler = assembler
        self._marker = os.urandom(16)
        self._drained = threading.Event()
        read_end, write_end = os.pipe()
        os.dup2(write_end, fd, inheritable=True)
        os.close(write_end)
        self._read_end = read_end
        threading.Thread(target=self._pump, name=f"tinycats-fd{fd}", daemon=True).start()

    def drain(self, timeout_s):
        """Waits until what was written until now is told of."""
        self._drained.clear()
        try:
            os.write(self._fd, self._marker)
        except OSError:
            return
        self._drained.wait(timeout_s)

    def _pump(self):
        rest = b""
        while True:
            data = os.read(self._read_end, 65_536)
            if not data:
                return
            data = rest + data
            if self._marker in data:
                data = data.replace(self._marker, b"")
                self._feed(data)
                self._assembler.flush()
                rest = b""
                self._drained.set()
                continue
            # Cut at a byte that begins a letter, and before what may be the beginning of the marker.
            keep = _unfinished(data, self._marker)
            rest = data[len(data) - keep :]
            self._feed(data[: len(data) - keep])

    def _feed(self, data):
        if data:
            self._assembler.feed(data.decode("utf-8", "replace"))


def _unfinished(data, marker):
    """Bytes at the end of `data` that may go on: a part of the marker, or of one letter in UTF-8."""
    for length in range(min(len(marker) - 1, len(data)), 0, -1):
        if data.endswith(marker[:length]):
            return length
    for length in range(1, min(4, len(data)) + 1):
        byte = data[-length]
        if byte >= 0xC0:
            expected = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return length if length < expected else 0
        if byte < 0x80:
            return 0
    return 0


class Capture:
    """Takes over both streams of the process, and keeps the former stderr for what is said at its death."""

    def __init__(self, line, progress):
        """`line(level, text)` and `progress(text, shown)` are called from the thread that prints, or from one that reads."""
        # Not inherited: a child's last words are printed, not mixed into ours.
        self.last_words = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")

        def assembler(fd):
            return LineAssembler(lambda text: line(level_of(text, fd == 2), text), progress)

        self._pipes = [_Pipe(fd, assembler(fd)) for fd in (1, 2)]
        self.stdout = CapturedStream(1, assembler(1))
        self.stderr = CapturedStream(2, assembler(2))
        sys.stdout = sys.__stdout__ = self.stdout
        sys.stderr = sys.__stderr__ = self.stderr

    def flush(self):
        """Tells of everything that was printed until now."""
        for stream in (self.stdout, self.stderr):
            stream.end_line()
        try:
            ctypes.CDLL(None).fflush(None)
        except (OSError, AttributeError):
            pass
        for pipe in self._pipes:
            pipe.drain(0.5)
