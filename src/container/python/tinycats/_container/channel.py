"""The pipe to the supervisor: Node's IPC channel, one JSON message a line, both ways."""

from __future__ import annotations

import json
import os
import queue
import socket
import threading
import time

MOST_WAITING = 5_000
"""Messages that may wait to be sent before whoever talks much has to wait."""


class Channel:
    """Sends from a thread of its own: a message is never torn apart by a KeyboardInterrupt in the training code."""

    def __init__(self, sock):
        self._socket = sock
        self._waiting = queue.SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        self._closed = False
        threading.Thread(target=self._write, name="tinycats-writer", daemon=True).start()
        os.register_at_fork(after_in_child=self._forget)

    @classmethod
    def from_environment(cls):
        """Takes the channel out of the environment, so that no child process finds it."""
        fd = os.environ.pop("NODE_CHANNEL_FD", None)
        os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", None)
        if fd is None:
            raise SystemExit("tinycats_trainer.py is started by a Tiny Cats container, not by hand.")
        sock = socket.socket(fileno=int(fd))
        sock.set_inheritable(False)
        sock.setblocking(True)
        return cls(sock)

    def send(self, message):
        """Queues a message; it is text at once, so that what it holds may change afterwards."""
        if self._closed:
            return
        line = json.dumps(message, allow_nan=False).encode() + b"\n"
        while self._waiting.qsize() > MOST_WAITING:
            time.sleep(0.002)
        self._idle.clear()
        self._waiting.put(line)

    def messages(self):
        """Yields what the supervisor says until it is gone."""
        with self._socket.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                if isinstance(message, dict) and "type" in message:
                    yield message

    def flush(self, timeout_s=2.0):
        """Waits until everything is sent."""
        self._idle.wait(timeout_s)

    def _write(self):
        while True:
            if self._waiting.empty():
                self._idle.set()
            lines = [self._waiting.get()]
            self._idle.clear()
            while len(lines) < 64 and not self._waiting.empty():
                lines.append(self._waiting.get())
            try:
                self._socket.sendall(b"".join(lines))
            except OSError:
                # The reader hears of it, too, and ends the process.
                self._closed = True

    def _forget(self):
        """A forked child has no say: the channel is its parent's."""
        self._closed = True
        try:
            self._socket.close()
        except OSError:
            pass
