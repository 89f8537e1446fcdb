"""Calls functions right after a module was imported for the first time, by whomever."""

from __future__ import annotations

import importlib.abc
import sys


class ImportHooks(importlib.abc.MetaPathFinder):
    def __init__(self):
        self._hooks = {}
        self._busy = set()

    def install(self):
        sys.meta_path.insert(0, self)

    def after(self, name, hook):
        """`hook` takes the module. It is called at once if the module is there already."""
        if name in sys.modules:
            hook(sys.modules[name])
        else:
            self._hooks.setdefault(name, []).append(hook)

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self._hooks or fullname in self._busy:
            return None
        self._busy.add(fullname)
        try:
            spec = _find(fullname, path, target, self)
        finally:
            self._busy.discard(fullname)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._wrap(fullname, spec.loader)
        return spec

    def _wrap(self, fullname, loader):
        exec_module = loader.exec_module

        def exec_and_tell(module):
            exec_module(module)
            for hook in self._hooks.pop(fullname, []):
                hook(module)

        loader.exec_module = exec_and_tell


def _find(fullname, path, target, own):
    for finder in sys.meta_path:
        if finder is not own and hasattr(finder, "find_spec"):
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
    return None
