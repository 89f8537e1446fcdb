"""What a module imports, from its source."""

from __future__ import annotations

import ast


def imported_names(source, name, is_package):
    """Dotted names of modules that the source may import, wherever in it; `name` is the module's own.

    `from a import b` gives `a` and `a.b`, since b may be a module. Source that cannot be parsed gives none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    package = name if is_package else name.rpartition(".")[0]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names.update(_with_parents(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            if base is not None:
                names.update(_with_parents(base))
                names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


def absolute(node, package):
    """The module that `from … import` names; None if it points outside of all packages."""
    if node.level == 0:
        return node.module
    parts = package.split(".") if package else []
    if node.level - 1 > len(parts) or not parts:
        return node.module
    base = parts[: len(parts) - (node.level - 1)]
    return ".".join([*base, node.module] if node.module else base) or None


def _with_parents(dotted):
    parts = dotted.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
