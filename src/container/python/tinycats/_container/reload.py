"""Unloads the user's modules whose files changed, and those that use them, so that the next import runs what is there."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types

from tinycats._container.imports import imported_names
from tinycats._container.loader import digest

MOST_TRIES = 10
"""Of loading files that change while they are loaded."""


class Reloader:
    def __init__(self, modules):
        self._modules = modules
        self._imports = {}
        self._missing = {}

    def changed(self):
        """Names of loaded modules whose file is not what was run."""
        self._modules.adopt()
        return {name for name, facts in self._modules.loaded.items() if _digest_of(facts.path) != facts.sha256}

    def unload_changed(self):
        """Unloads what changed and what uses it. Returns the names, those whose own file changed first."""
        importlib.invalidate_caches()
        changed = self.changed() | self._now_found()
        stale = self._with_users(changed)
        for name in stale:
            self._modules.forget(name)
        return sorted(changed) + sorted(stale - changed)

    def load(self, name):
        """The module, run from the files as they are now. Returns it and the names of what was unloaded for it.

        Raises whatever the module raises.
        """
        unloaded = []
        for _ in range(MOST_TRIES):
            unloaded += self.unload_changed()
            module = importlib.import_module(name)
            self._note_missing()
            # A file may have been written while another was read.
            if not self.changed():
                break
        return module, list(dict.fromkeys(unloaded))

    def _with_users(self, names):
        """The modules, and all that import them or hold something of theirs."""
        users = {}
        for name in self._modules.loaded:
            for used in self._uses(name):
                users.setdefault(used, set()).add(name)
        found, waiting = set(names), list(names)
        while waiting:
            for user in users.get(waiting.pop(), ()):
                if user not in found:
                    found.add(user)
                    waiting.append(user)
        return found

    def _uses(self, name):
        loaded = self._modules.loaded
        names = self._imported(name) | _held(sys.modules.get(name))
        parent = name.rpartition(".")[0]
        if parent:
            names = names | {parent}
        return {used for used in names if used in loaded and used != name}

    def _imported(self, name):
        facts = self._modules.loaded[name]
        key = (name, facts.sha256)
        if key not in self._imports:
            is_package = os.path.basename(facts.path) == "__init__.py"
            self._imports[key] = imported_names(facts.source, name, is_package)
        return self._imports[key]

    def _note_missing(self):
        """Remembers what modules wanted and was not there when they were loaded."""
        for name, facts in self._modules.loaded.items():
            key = (name, facts.sha256)
            if key not in self._missing:
                tops = {wanted.partition(".")[0] for wanted in self._imported(name)}
                self._missing[key] = {top for top in tops if top not in sys.modules and not self._exists(top)}

    def _now_found(self):
        """Modules that may do without something which was not there, and is now."""
        return {
            name
            for name, facts in self._modules.loaded.items()
            if any(self._exists(top) for top in self._missing.get((name, facts.sha256), ()))
        }

    def _exists(self, name):
        return any(
            os.path.isfile(os.path.join(folder, name + ".py"))
            or os.path.isfile(os.path.join(folder, name, "__init__.py"))
            for folder in self._modules.workspace.search_path
        )


def _held(module):
    """Names of modules that a module holds, or holds functions, classes or instances of."""
    names = set()
    for value in list(getattr(module, "__dict__", {}).values()):
        if isinstance(value, types.ModuleType):
            names.add(value.__name__)
        else:
            owner = value if isinstance(value, (type, types.FunctionType)) else type(value)
            names.add(getattr(owner, "__module__", None))
    return names


def _digest_of(path):
    try:
        with open(path, "rb") as file:
            return digest(file.read())
    except OSError:
        return None

