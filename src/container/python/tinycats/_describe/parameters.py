"""A parameter of a function: how the form shows it, and how its value is given to the function."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass

from tinycats._describe.values import UNKNOWN, last_name

_LISTS = {"list", "List", "Sequence", "Iterable", "tuple", "Tuple", "set", "Set", "dict", "Dict", "Mapping"}
_PATHS = {"Path", "PurePath", "PathLike", "PosixPath"}
_SIMPLE = {"int": "integer", "float": "number", "bool": "boolean", "str": "text"}


@dataclass
class Parameter:
    spec: dict
    """As the protocol's ParameterSpec."""
    how: str = "plain"
    """`plain`, `path`, `json`, `enum:<class>`, `literal`, or what an optional value is: `integer`, `number`, `boolean`."""
    choices: tuple = ()
    positional: bool = False
    nullable: bool = False
    """Nothing, an empty text, stands for None."""

    @property
    def name(self):
        return self.spec["name"]

    def given(self, value):
        """Whether a value has to be handed on; the function's own default does for the others."""
        return self.spec.get("required", False) or value != self.spec["default"]

    def convert(self, value, module):
        """The value as the function wants it. `module`: where its Enum is found."""
        kind, _, detail = self.how.partition(":")
        if value == "" and (self.nullable or kind == "json"):
            return None
        if kind == "path":
            from pathlib import Path

            return Path(value)
        if kind == "json":
            return json.loads(value)
        if kind == "enum":
            return getattr(module, detail)[value]
        if kind == "literal":
            return next(choice for choice in self.choices if _text(choice) == value)
        if kind == "integer":
            return int(value)
        if kind == "number" or self.spec["type"] == "number":
            return float(value)
        if kind == "boolean" and isinstance(value, str):
            return value.strip().lower() in ("true", "1", "yes", "on")
        return value


def parameter(name, annotation, default, constants, description=""):
    """`annotation` and `default` are nodes, or None where there is none."""
    annotation, note = _unwrapped(annotation)
    annotation, optional = _without_none(annotation)
    description = description or note
    value = UNKNOWN if default is None else constants.value(default)
    spec = {"name": name, "type": "text", "description": description}
    made = _typed(spec, annotation, value, constants)
    made.nullable = optional or value is None
    if default is None and not optional:
        spec.update(default=_nothing(spec), required=True)
    elif default is None or value is None or value is UNKNOWN or not _fits(spec, value):
        # Not given unless the user says something, whatever the default is.
        if spec["type"] in ("integer", "number", "boolean") and made.how == "plain":
            made.how = spec["type"]
        spec.update(type="text", default="")
        spec.pop("choices", None)
        if isinstance(value, (list, tuple, dict, set)):
            spec["default"] = json.dumps(sorted(value) if isinstance(value, set) else value)
    else:
        spec["default"] = _text(value) if spec["type"] in ("choice", "text") else value
    return made


def _typed(spec, annotation, value, constants):
    name = last_name(annotation.value if isinstance(annotation, ast.Subscript) else annotation) if annotation else ""
    if name == "Literal" and isinstance(annotation, ast.Subscript):
        choices = _literals(annotation)
        spec.update(type="choice", choices=[_text(choice) for choice in choices])
        return Parameter(spec, "literal", tuple(choices))
    if name in constants.enums:
        spec.update(type="choice", choices=constants.enums[name])
        return Parameter(spec, f"enum:{name}")
    if name in _SIMPLE:
        spec["type"] = _SIMPLE[name]
        return Parameter(spec)
    if name in _PATHS:
        return Parameter(spec, "path")
    if name in _LISTS or isinstance(value, (list, tuple, dict, set)):
        spec["json"] = True
        return Parameter(spec, "json")
    for kind, type_name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            spec["type"] = type_name
            break
    else:
        if annotation is not None and not isinstance(value, str) and name not in ("", "Any", "object"):
            spec["json"] = True
            return Parameter(spec, "json")
    return Parameter(spec)


def _unwrapped(annotation):
    """Without quotes and Annotated, and the text that Annotated carries."""
    note = ""
    while annotation is not None:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return None, note
        elif isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Annotated":
            parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
            texts = [part.value for part in parts[1:] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            note = texts[0] if texts else note
            annotation = parts[0]
        else:
            break
    return annotation, note


def _without_none(annotation):
    """`X | None`, `Optional[X]` and `Union[X, None]` as X, and whether it was one; of several types the first."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        parts = _alternatives(annotation)
    elif isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Optional":
        return _unwrapped(annotation.slice)[0], True
    elif isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Union":
        inner = annotation.slice
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    else:
        return annotation, False
    some = [part for part in parts if not (isinstance(part, ast.Constant) and part.value is None)]
    # A path given as text is as good as a Path.
    some.sort(key=lambda part: last_name(part) != "str")
    return (some[0] if some else None), len(some) < len(parts)


def _alternatives(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _alternatives(node.left) + _alternatives(node.right)
    return [node]


def _literals(annotation):
    inner = annotation.slice
    nodes = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    return [node.value for node in nodes if isinstance(node, ast.Constant) and node.value is not None]


def _fits(spec, value):
    kind = spec["type"]
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) != float("inf")
    if kind == "choice":
        return _text(value) in spec["choices"]
    return isinstance(value, str) and not spec.get("json")


def _nothing(spec):
    kind = spec["type"]
    if kind in ("integer", "number"):
        return 0
    if kind == "boolean":
        return False
    return spec["choices"][0] if kind == "choice" and spec["choices"] else ""


def _text(value):
    return value if isinstance(value, str) else str(value)
