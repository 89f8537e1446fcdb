"""What an entrypoint such as `src/train.py:TrainingContainer.train` names, and what can be given to it."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass, field

from tinycats._describe.docs import comments, parameter_docs, summary
from tinycats._describe.options import read_options
from tinycats._describe.parameters import parameter
from tinycats._describe.values import Constants, last_name

_ENTER = {"enter"}
_TRAIN = {"train", "method", "function"}
_NAMESPACES = {"args", "argv", "opt", "opts", "options", "cfg", "config", "hparams", "namespace", "cli_args"}
ENTERED = "entered"
"""The parameter that gets what a module's enter function returned."""


class DescribeError(Exception):
    def __init__(self, message, file=None, line=None):
        super().__init__(message)
        self.message, self.file, self.line = message, file, line


@dataclass
class Entrypoint:
    file: str
    name: str
    """Short, and safe as the name of a folder: as the protocol's `recipeOf` makes it."""
    kind: str
    """`function` or `class`, for the user."""
    call: str
    """How it is run: `function`, `method`, `argv` (a function that reads sys.argv), `main` (the block under
    `if __name__ == "__main__"`) or `script` (the whole file)."""
    class_name: str = ""
    function: str = ""
    enter: list = field(default_factory=list)
    methods: list = field(default_factory=list)
    parameters: list = field(default_factory=list)
    options: list = field(default_factory=list)
    description: str = ""
    takes_entered: bool = False

    @property
    def specs(self):
        return [given.spec for given in [*self.parameters, *self.options]]


def split(entrypoint):
    """The file and the dotted name after the colon, which may be missing."""
    file, colon, name = entrypoint.rpartition(":")
    return (file, name.strip()) if colon else (entrypoint, "")


def name_of(entrypoint):
    file, name = split(entrypoint)
    last = name.split(".")[-1] if name else os.path.splitext(os.path.basename(file))[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "_", last)[:64] or "train"


def read_entrypoint(folder, entrypoint):
    """Raises DescribeError with a message for the user."""
    file, name = split(entrypoint)
    path = os.path.normpath(os.path.join(folder, file))
    module = _Module(path, name_of(entrypoint))
    if name == "":
        return module.script()
    owner, _, member = name.partition(".")
    node = module.definitions.get(owner)
    if node is None:
        known = ", ".join(module.definitions) or "none"
        raise DescribeError(f'{file} has no function or class "{owner}"; it has {known}.', path)
    if isinstance(node, ast.ClassDef):
        return module.method(node, member)
    if member:
        raise DescribeError(f'"{owner}" in {file} is a function: it has no "{member}".', path, node.lineno)
    return module.function(node)


class _Module:
    def __init__(self, path, name=""):
        self.path, self.name = path, name
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise DescribeError(f"There is no file {path}. Check the entrypoint.", path) from None
        except OSError as error:
            raise DescribeError(f"{path} cannot be read: {error.strerror}.", path) from None
        try:
            self.tree = ast.parse(data, path)
        except SyntaxError as error:
            raise DescribeError(f"{os.path.basename(path)}: {error.msg}", path, error.lineno) from None
        except ValueError as error:
            raise DescribeError(f"{path} is no Python source: {error}", path) from None
        self.source = data.decode("utf-8", "replace")
        self.constants = Constants(self.tree)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        self.definitions = {node.name: node for node in _top(self.tree.body) if isinstance(node, kinds)}
        self.main_block = next((node for node in self.tree.body if _is_main_block(node)), None)

    def function(self, node):
        marked = [other.name for other in self.definitions.values() if _mark(other) == "enter"]
        enter = [name for name in marked if isinstance(self.definitions[name], ast.FunctionDef)]
        made = Entrypoint(self.path, self.name, "function", "function", "", node.name, enter, [node.name])
        self._take_parameters(made, node, skip_first=False)
        names = [given.name for given in made.parameters]
        if all(name in _NAMESPACES for name in names):
            made.options = self._options()
            if made.options:
                needs_namespace = any(given.spec.get("required") for given in made.parameters)
                made.parameters = []
                made.call = "main" if needs_namespace else "argv"
                if needs_namespace and self.main_block is None:
                    message = (
                        f'"{node.name}" takes parsed arguments, and no `if __name__ == "__main__":` block parses them. '
                        "Name the function that does, or give it parameters with defaults."
                    )
                    raise DescribeError(message, self.path, node.lineno)
        return made

    def script(self):
        call = "script" if self.main_block is None else "main"
        made = Entrypoint(self.path, self.name, "function", call, description=summary(ast.get_docstring(self.tree)))
        made.options = self._options()
        return made

    def method(self, node, member):
        methods = {inner.name: inner for inner in _methods(node)}
        enter = [name for name, inner in methods.items() if _mark(inner) == "enter"]
        trains = [name for name, inner in methods.items() if _mark(inner) == "train"]
        if member == "":
            member = "train" if "train" in trains or (not trains and "train" in methods) else (trains or [""])[0]
            if member == "" or (len(trains) > 1 and member != "train"):
                found = f"several: {', '.join(trains)}" if trains else "none"
                message = f"Which method of {node.name} trains? Marked with @tinycats.train are {found}. Name one: {node.name}.method."
                raise DescribeError(message, self.path, node.lineno)
        if member not in methods:
            known = ", ".join(trains or methods) or "none"
            raise DescribeError(f'{node.name} has no method "{member}"; it has {known}.', self.path, node.lineno)
        made = Entrypoint(self.path, self.name, "class", "method", node.name, member, enter, trains or [member])
        self._take_parameters(made, methods[member], skip_first=not _is_static(methods[member]))
        made.description = made.description or summary(ast.get_docstring(node))
        return made

    def _take_parameters(self, made, node, skip_first):
        docstring = ast.get_docstring(node) or ""
        made.description = summary(docstring)
        documented, commented = parameter_docs(docstring), comments(self.source)
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
        pairs = list(zip(positional, defaults))[1 if skip_first else 0 :]
        pairs += zip(arguments.kwonlyargs, arguments.kw_defaults)
        ends = [(default or argument.annotation or argument).end_lineno for argument, default in pairs]
        for index, (argument, default) in enumerate(pairs):
            if argument.arg == ENTERED:
                made.takes_entered = True
                continue
            # A comment at the end of a line is about the last parameter on it.
            is_last = ends[index] not in ends[index + 1 :]
            comment = commented.get(ends[index], "") if is_last else ""
            description = documented.get(argument.arg) or comment
            given = parameter(argument.arg, argument.annotation, default, self.constants, description)
            given.positional = index + (1 if skip_first else 0) < len(arguments.posonlyargs)
            made.parameters.append(given)

    def _options(self):
        own = read_options(self.tree, self.constants)
        if own:
            return own
        for node in ast.walk(self.tree):
            # The parser may be made by a module beside this one.
            if isinstance(node, ast.ImportFrom) and node.module:
                path = os.path.join(os.path.dirname(self.path), *node.module.split(".")) + ".py"
                if os.path.isfile(path):
                    other = _Module(path)
                    found = read_options(other.tree, other.constants)
                    if found:
                        return found
        return []


def _top(body):
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try)) and not _is_main_block(node):
            yield from _top(node.body)
            yield from _top(getattr(node, "orelse", []))


def _methods(node):
    return [inner for inner in node.body if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef))]


def _mark(node):
    names = {last_name(decorator) for decorator in node.decorator_list}
    return "enter" if names & _ENTER else "train" if names & _TRAIN else None


def _is_static(node):
    return any(last_name(decorator) == "staticmethod" for decorator in node.decorator_list)


def _is_main_block(node):
    """`if __name__ == "__main__":`"""
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test) and "__main__" in ast.dump(node.test)
