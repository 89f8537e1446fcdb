"""Finds the files that a run has written which look like checkpoints, and makes those its own that lie elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time

MODEL_FILE = re.compile(r"\.(?:pt|pth|bin|safetensors|ckpt|onnx|h5|keras|npz)$", re.IGNORECASE)
_OUTPUT_NAME = re.compile(r"out|save|ckpt|checkpoint|model|log|work|result|exp", re.IGNORECASE)
_PASSED_OVER = {".git", "node_modules", "__pycache__", ".venv", "site-packages"}
_RUN_RECORD = "run.json"
_DEEPEST = 6
_MOST_ENTRIES = 20_000
_COPY_S = 10.0
"""A file outside of the run's folder that keeps changing is copied no more often than this, and at the end."""


class CheckpointWatch:
    def __init__(self, run_dir, outputs_dir, folder, params, tell):
        """`tell(file, bytes, written_ns)` hears of each whole file, by its path inside the run's folder."""
        self._run_dir = os.path.abspath(run_dir)
        self._folder = folder
        self._tell = tell
        self._roots = [self._run_dir, os.path.abspath(outputs_dir), *_output_paths(folder, params)]
        # The clock that stamps files may be a tick behind this one.
        self._since_ns = time.time_ns() - 20_000_000
        self._seen = {}
        self._told = {}
        self._copied_at = {}
        self._named = set()
        self._lock = threading.Lock()

    def saved(self, path):
        """A library has written that file, wherever it is."""
        if MODEL_FILE.search(path):
            self._named.add(path)

    def report(self, path):
        """A file that the code says is complete; or a folder of them."""
        path = os.path.abspath(path)
        if not os.path.exists(path):
            raise FileNotFoundError(f"tinycats.checkpoint: there is no {path}")
        with self._lock:
            for file in [path] if os.path.isfile(path) else [file for file, _ in _files(path, self._run_dir)]:
                self._take(file, os.stat(file), True)

    def scan(self, final=False):
        """Looks for new files. One that is still written to is told of by a later scan; the final one tells of all."""
        with self._lock:
            open_files = set() if final else _open_files()
            for path, facts in self._candidates():
                mark = (facts.st_size, facts.st_mtime_ns)
                if facts.st_size == 0 or self._told.get(path) == mark:
                    continue
                is_stable = self._seen.get(path) == mark and os.path.realpath(path) not in open_files
                self._seen[path] = mark
                if final or is_stable:
                    self._take(path, facts, final)

    def _candidates(self):
        found = {}
        for root in self._roots:
            for path, facts in _files(root, self._run_dir):
                if max(facts.st_mtime_ns, facts.st_ctime_ns) >= self._since_ns:
                    found[path] = facts
        for path in list(self._named):
            try:
                found[path] = os.stat(path)
            except OSError:
                self._named.discard(path)
        own = os.path.join(self._run_dir, "files") + os.sep
        return [(path, facts) for path, facts in found.items() if not path.startswith(own)]

    def _take(self, path, facts, now):
        if path.startswith(self._run_dir + os.sep):
            file = os.path.relpath(path, self._run_dir)
        else:
            if not now and time.monotonic() - self._copied_at.get(path, float("-inf")) < _COPY_S:
                return
            self._copied_at[path] = time.monotonic()
            file = self._copy(path)
            if file is None:
                return
        self._told[path] = (facts.st_size, facts.st_mtime_ns)
        self._tell(file.replace(os.sep, "/"), facts.st_size, facts.st_mtime_ns)

    def _copy(self, path):
        """Copies, since a link would change with the next run's file of the same name. None where that fails."""
        inside = os.path.relpath(path, self._folder)
        name = os.path.basename(path) if inside.startswith("..") else inside
        file = os.path.join("files", name)
        target = os.path.join(self._run_dir, file)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(path, target + ".part")
            os.replace(target + ".part", target)
        except OSError:
            return None
        return file


def _output_paths(folder, params):
    """Paths in the parameters where the code is told to write."""
    paths = []
    for name, value in params.items():
        if not isinstance(value, str) or value.strip() == "" or "data" in name.lower():
            continue
        if _OUTPUT_NAME.search(name) or MODEL_FILE.search(value):
            path = os.path.abspath(os.path.join(folder, os.path.expanduser(value)))
            if path not in (folder, os.path.abspath(os.sep), os.path.expanduser("~")):
                paths.append(path)
    return paths


def _files(root, run_dir):
    """Files that look like checkpoints, with their facts, below a folder or that one file; not those of other runs."""
    if os.path.isfile(root):
        if MODEL_FILE.search(root):
            yield root, os.stat(root)
        return
    waiting, entries = [(root, 0)], 0
    while waiting and entries < _MOST_ENTRIES:
        folder, depth = waiting.pop()
        try:
            found = list(os.scandir(folder))
        except OSError:
            continue
        entries += len(found)
        if folder != run_dir and any(entry.name == _RUN_RECORD for entry in found):
            continue
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    if depth < _DEEPEST and entry.name not in _PASSED_OVER:
                        waiting.append((entry.path, depth + 1))
                elif MODEL_FILE.search(entry.name) and entry.is_file():
                    yield entry.path, entry.stat()
            except OSError:
                continue


def _open_files():
    """Files that this process has open."""
    try:
        fds = os.listdir("/proc/self/fd")
    except OSError:
        return set()
    paths = set()
    for fd in fds:
        try:
            paths.add(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return paths
