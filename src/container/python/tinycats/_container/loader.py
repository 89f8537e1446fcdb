"""Imports the user's own modules from their source, never from a .pyc, and remembers what was run."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import linecache
import logging
import os
import sys
from dataclasses import dataclass, field


def digest(data):
    return hashlib.sha256(data).hexdigest()


@dataclass
class Loaded:
    """A module of the user's as it was run."""

    name: str
    path: str
    sha256: str
    source: bytes
    handlers: list = field(default_factory=list)
    """Log handlers that it attached while it was imported: (logger, handler)."""


class UserModules:
    """All modules of the user's that are loaded."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.loaded = {}
        """By name."""
        self._executing = []

    def install(self):
        """From now on, imports from the user's folder go through here."""
        sys.path_hooks.insert(0, self._hook)
        sys.path_importer_cache.clear()

    def remember(self, name, path, data):
        self.loaded[name] = Loaded(name, os.path.abspath(path), digest(data), data)
        # Tracebacks and `inspect` show the lines that run.
        linecache.cache.pop(path, None)

    def adopt(self):
        """Finds user's modules that something else has loaded, such as an editable install's own finder.

        Forgets those that are loaded no more, such as one whose import failed.
        """
        for name in [name for name in self.loaded if name not in sys.modules]:
            self.forget(name)
        for name, module in list(sys.modules.items()):
            if name in self.loaded or name in ("__main__", "__mp_main__"):
                continue
            path = getattr(module, "__dict__", {}).get("__file__")
            if isinstance(path, str) and path.endswith(".py") and self.workspace.owns(path):
                try:
                    with open(path, "rb") as file:
                        self.remember(name, path, file.read())
                except OSError:
                    continue

    def forget(self, name):
        """Unloads a module, so that the next import runs its file."""
        facts = self.loaded.pop(name, None)
        module = sys.modules.pop(name, None)
        parent, _, child = name.rpartition(".")
        package = getattr(sys.modules.get(parent), "__dict__", {})
        if module is not None and package.get(child) is module:
            # `from package import child` would find the old one.
            del package[child]
        if facts is None:
            return
        for logger, handler in facts.handlers:
            logger.removeHandler(handler)
            handler.close()
        linecache.cache.pop(facts.path, None)
        # Child processes use Python's own loader, for which an edit within a second is no edit.
        try:
            os.unlink(importlib.util.cache_from_source(facts.path))
        except (OSError, NotImplementedError):
            pass

    def execute(self, loader, module):
        """Runs a module's code, and sees which log handlers it attaches."""
        before = {id(handler) for _, handler in _handlers()}
        self._executing.append(module.__name__)
        try:
            loader.run(module)
        finally:
            self._executing.pop()
            facts = self.loaded.get(module.__name__)
            if facts is not None:
                claimed = {id(handler) for other in self.loaded.values() for _, handler in other.handlers}
                facts.handlers = [
                    (logger, handler)
                    for logger, handler in _handlers()
                    if id(handler) not in before and id(handler) not in claimed
                ]

    def _hook(self, path):
        folder = os.path.abspath(path or os.getcwd())
        if not os.path.isdir(folder) or not self.workspace.owns(os.path.join(folder, "module.py")):
            raise ImportError("not the user's own", path=path)
        modules = self

        class UserLoader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname):
                file = self.get_filename(fullname)
                data = self.get_data(file)
                modules.remember(fullname, file, data)
                return self.source_to_code(data, file)

            def exec_module(self, module):
                modules.execute(self, module)

            def run(self, module):
                super().exec_module(module)

        extensions = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
        return importlib.machinery.FileFinder(folder, extensions, (UserLoader, [".py"]))


def _handlers():
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            yield logger, handler
