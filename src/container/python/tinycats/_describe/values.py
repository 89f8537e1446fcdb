"""Values of expressions as far as they can be known without running anything."""

from __future__ import annotations

import ast
import operator

UNKNOWN = object()

_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
_PATHS = ("Path", "PurePath", "PosixPath")


class Constants:
    """The module's names that are assigned once, at its top, to something that can be known."""

    def __init__(self, tree):
        self._nodes = {}
        self.enums = {}
        """Name of an Enum to the names of its members."""
        for node in tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._nodes[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self._nodes[node.target.id] = node.value
            elif isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
                self.enums[node.name] = [
                    target.id
                    for inner in node.body
                    if isinstance(inner, ast.Assign)
                    for target in inner.targets
                    if isinstance(target, ast.Name)
                ]

    def value(self, node, depth=0):
        """The value, the text of a path, the name of an Enum's member, or UNKNOWN."""
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError):
            pass
        if depth > 5:
            return UNKNOWN
        if isinstance(node, ast.Name) and node.id in self._nodes:
            return self.value(self._nodes[node.id], depth + 1)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self.enums:
            return node.attr
        if isinstance(node, ast.Call) and last_name(node.func) in _PATHS and len(node.args) == 1:
            text = self.value(node.args[0], depth + 1)
            return text if isinstance(text, str) else UNKNOWN
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
            numbers = (int, float)
            if isinstance(left, numbers) and isinstance(right, numbers) and abs(right) < 1e6:
                try:
                    return _BINARY[type(node.op)](left, right)
                except (ArithmeticError, ValueError):
                    return UNKNOWN
        return UNKNOWN


def last_name(node):
    """`b` of `a.b`, `a` of `a` and of `a(...)`; an empty text for anything else."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
