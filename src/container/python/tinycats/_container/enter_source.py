"""What the enter hook is made of: its own source and that of everything of the user's which it uses."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys

from tinycats._container.imports import absolute

_SELF = ("self", "cls")


class EnterSource:
    """Hashes of definitions, by `module.name`: that of the enter hook and those that it leads to."""

    def __init__(self, owns):
        """`owns` says of a path whether it is the user's."""
        self._owns = owns

    def of(self, module, qualified_names):
        """For the hooks of those names (`TrainingContainer.enter`) in the module of that name."""
        return _Walk(self._owns).hashes(module, qualified_names)


def difference(before, after):
    """Names of the definitions that are not the same, or None if all are."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return names or None


class _Walk:
    def __init__(self, owns):
        self._owns = owns
        self._sources = {}
        self._hashes = {}

    def hashes(self, module, qualified_names):
        waiting = [(module, name) for name in qualified_names]
        while waiting:
            module, name = waiting.pop()
            source = self._source(module)
            key = f"{module}.{name}"
            if source is None or key in self._hashes:
                continue
            nodes = source.definitions(name)
            self._hashes[key] = hashlib.sha256("\n".join(map(_text, nodes)).encode()).hexdigest()
            for node in nodes:
                waiting += source.used_by(node, name.partition(".")[0])
        return self._hashes

    def _source(self, module):
        if module not in self._sources:
            self._sources[module] = _read(module, self._owns)
        return self._sources[module]


class _Source:
    """One module's definitions."""

    def __init__(self, module, tree, is_package):
        self._module = module
        self._package = module if is_package else module.rpartition(".")[0]
        self._nodes = {}
        self._imports = {}
        for node in _statements(tree.body):
            for name in _defined(node):
                self._nodes.setdefault(name, []).append(node)
            self._imports.update(self._imported(node))

    def definitions(self, name):
        """The statements that define `name`, or `Class.name`; without the class's body for the latter."""
        owner, _, member = name.partition(".")
        nodes = self._nodes.get(owner, [])
        if not member:
            return nodes
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        found = [inner for node in classes for inner in _statements(node.body) if member in _defined(inner)]
        # What it inherits may be in the class above: that one counts whole.
        return found or [base for node in classes for base in node.bases]

    def used_by(self, node, owner):
        """(module, name) of what a statement refers to. `owner`: the class that it is in, or its own name."""
        imports = dict(self._imports)
        for inner in ast.walk(node):
            imports.update(self._imported(inner))
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
                base = inner.value.id
                if base in _SELF:
                    yield self._module, f"{owner}.{inner.attr}"
                elif base in imports and imports[base][1] is None:
                    yield imports[base][0], inner.attr
                elif base in imports:
                    # It may be a module of a package.
                    yield ".".join(imports[base]), inner.attr
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                name = inner.id
                if name in imports and imports[name][1] is not None:
                    yield imports[name]
                elif name in self._nodes:
                    yield self._module, name

    def _imported(self, node):
        """Local name to (module, name in it), or to (module, None) for a module itself."""
        if isinstance(node, ast.Import):
            return {
                alias.asname or alias.name.partition(".")[0]: (
                    alias.name if alias.asname else alias.name.partition(".")[0],
                    None,
                )
                for alias in node.names
            }
        if isinstance(node, ast.ImportFrom):
            base = absolute(node, self._package)
            if base is not None:
                return {alias.asname or alias.name: (base, alias.name) for alias in node.names}
        return {}


def _read(module, owns):
    loaded = sys.modules.get(module)
    path = getattr(loaded, "__file__", None)
    if path is None:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError, AttributeError):
            spec = None
        path = spec.origin if spec else None
    if path is None or not path.endswith(".py") or not owns(path):
        return None
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None
    return _Source(module, tree, path.endswith("__init__.py"))


def _statements(body):
    """The statements of a body and of the blocks in it, but for those of functions and classes."""
    for node in body:
        yield node
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from _statements(getattr(node, block, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)


def _defined(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [inner.id for target in targets if target is not None for inner in ast.walk(target) if isinstance(inner, ast.Name)]


def _text(node):
    """The statement without places and docstrings: comments and blank lines change nothing."""
    return ast.dump(_WithoutDocs().visit(ast.parse(ast.unparse(node))))


class _WithoutDocs(ast.NodeTransformer):
    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node
