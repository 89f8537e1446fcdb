"""Libraries that the user's files import anywhere, be it inside a function: enter imports them ahead of time."""

from __future__ import annotations

import importlib.util
import os
import sys

from tinycats._container.imports import imported_names

_HEAVY = ("torch", "torchvision", "numpy")
"""Imported first, and in this order, so that their phases tell what each costs."""
_NOT_AHEAD = {"tinycats", "modal", "setup", "antigravity", "this"}
_MOST_FILES = 500


def libraries_of(workspace):
    """Top names of installed libraries, not the standard one's, that the entry and the files it leads to import."""
    found, waiting, seen = set(), [workspace.file], set()
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            with open(path, "rb") as file:
                source = file.read()
        except OSError:
            continue
        for name in imported_names(source, "", False):
            own = _own_file(workspace, name)
            if own is not None:
                waiting.append(own)
            elif "." not in name and name not in _NOT_AHEAD:
                found.add(name)
    standard = getattr(sys, "stdlib_module_names", frozenset())
    names = sorted(name for name in found if name not in standard and name not in sys.builtin_module_names)
    ordered = [name for name in _HEAVY if name in names] + [name for name in names if name not in _HEAVY]
    return [name for name in ordered if _is_installed(name, workspace)]


def _own_file(workspace, name):
    parts = name.split(".")
    for folder in workspace.search_path:
        for path in (os.path.join(folder, *parts) + ".py", os.path.join(folder, *parts, "__init__.py")):
            if os.path.isfile(path):
                return path
    return None


def _is_installed(name, workspace):
    """Whether it is a library in site-packages: everything else is cheap to import, or the user's own."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    origin = getattr(spec, "origin", None)
    return origin is not None and "-packages" in origin and not workspace.owns(origin)
