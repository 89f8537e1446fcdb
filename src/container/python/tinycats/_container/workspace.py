"""Which files are the user's own, and how their modules are found on the path."""

from __future__ import annotations

import os
import sys

_LIBRARIES = {"site-packages", "dist-packages", "node_modules", "__pycache__"}
OWN_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Workspace:
    """The user's folder and the file in it that is run."""

    def __init__(self, folder, file):
        """`folder` is absolute, `file` relative to it."""
        self.folder = os.path.abspath(folder)
        self.file = os.path.normpath(os.path.join(self.folder, file))
        self.module, self.root = _name_of(self.file)
        real = {os.path.realpath(self.folder), self.folder, os.path.dirname(self.file)}
        self._roots = tuple(sorted(root + os.sep for root in real))
        prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, OWN_ROOT}
        # A virtual environment inside the folder is not the user's own, unlike a folder inside the prefix `/usr`.
        self._foreign = tuple(
            prefix.rstrip(os.sep) + os.sep
            for prefix in prefixes
            if any((prefix + os.sep).startswith(root) for root in self._roots)
        )
        self._known = {}

    def owns(self, path):
        """Whether that file is the user's own code, not a library's."""
        known = self._known.get(path)
        if known is None:
            full = os.path.abspath(path)
            below = next((full[len(root) :] for root in self._roots if full.startswith(root)), None)
            known = (
                below is not None
                and not full.startswith(self._foreign)
                and _LIBRARIES.isdisjoint(below.split(os.sep))
                and not _in_environment(full, self.folder)
            )
            self._known[path] = known
        return known

    def relative(self, path):
        """The path inside the folder where it lies there, else the path."""
        inside = os.path.relpath(path, self.folder)
        return path if inside.startswith("..") else inside.replace(os.sep, "/")

    @property
    def search_path(self):
        """What is put before `sys.path`: as `python file.py` does, and the folder, as `python -m` does."""
        paths = [os.path.dirname(self.file), self.root, self.folder]
        return list(dict.fromkeys(paths))


def _name_of(file):
    """The module's name and the folder that its import starts from: a file that uses `from . import` is in a package."""
    folder, name = os.path.split(file)
    stem = os.path.splitext(name)[0]
    if not _is_relative(file):
        return stem, folder
    parts = [stem]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    if len(parts) == 1:
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    return ".".join(parts), folder


def _is_relative(file):
    try:
        with open(file, encoding="utf-8", errors="replace") as source:
            return any(line.lstrip().startswith("from .") for line in source)
    except OSError:
        return False


def _in_environment(path, folder):
    """Whether the file lies in a virtual environment inside the folder."""
    parent = os.path.dirname(path)
    while parent.startswith(folder) and parent != folder:
        if os.path.isfile(os.path.join(parent, "pyvenv.cfg")):
            return True
        parent = os.path.dirname(parent)
    return False
