"""Options of an argparse parser, read from the calls of `add_argument`."""

from __future__ import annotations

import ast
import shlex
from dataclasses import dataclass

from tinycats._describe.values import UNKNOWN, last_name

_NUMBERS = {"int": "integer", "float": "number"}


@dataclass
class Option:
    spec: dict
    flag: str
    """`--batch-size`; empty for a positional argument."""
    action: str
    is_list: bool
    type_name: str

    @property
    def name(self):
        return self.spec["name"]

    def words(self, value):
        """What stands for the value in `sys.argv`; nothing where the parser's own default does."""
        if value == self.spec["default"] and not self.spec.get("required"):
            return []
        if self.action == "store_true" or self.action == "store_false":
            return [self.flag]
        if self.action == "BooleanOptionalAction":
            return [self.flag if value else "--no-" + self.flag.lstrip("-")]
        words = shlex.split(value) if self.is_list and isinstance(value, str) else [self._word(value)]
        if self.flag == "":
            return words
        if len(words) == 1 and self.flag.startswith("--"):
            return [f"{self.flag}={words[0]}"]
        return [self.flag, *words]

    def _word(self, value):
        if isinstance(value, bool):
            # bool("False") is true: only an empty text is not.
            return ("true" if value else "") if self.type_name == "bool" else str(value).lower()
        return str(value)


def read_options(tree, constants):
    """All options that the module adds, in their order."""
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"
    ]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    options = {}
    for call in calls:
        option = _option(call, constants)
        if option is not None:
            options[option.name] = option
    return list(options.values())


def argv(options, values):
    """`sys.argv[1:]` for the values: positional arguments first."""
    ordered = sorted(options, key=lambda option: option.flag != "")
    return [word for option in ordered if option.name in values for word in option.words(values[option.name])]


def _option(call, constants):
    flags = [constants.value(node) for node in call.args]
    flags = [flag for flag in flags if isinstance(flag, str)]
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if not flags:
        return None
    long = next((flag for flag in flags if flag.startswith("--")), flags[0])
    positional = not long.startswith("-")

    def known(name):
        value = constants.value(keywords[name]) if name in keywords else None
        return None if value is UNKNOWN else value

    action = known("action")
    if action is None and "action" in keywords:
        action = last_name(keywords["action"])
    action = action or "store"
    if action in ("help", "version"):
        return None
    name = known("dest") or long.lstrip("-").replace("-", "_")
    type_name = last_name(keywords["type"]) if "type" in keywords else ""
    is_list = known("nargs") not in (None, "?") or action in ("append", "extend")
    default = known("default")
    description = str(known("help") or "").replace("%(default)s", str(default))
    spec = {"name": name, "type": "text", "description": " ".join(description.split()), "default": ""}
    choices = known("choices")
    if action in ("store_true", "store_false", "BooleanOptionalAction") or isinstance(default, bool):
        spec.update(type="boolean", default=default if isinstance(default, bool) else action == "store_false")
    elif isinstance(choices, (list, tuple)) and choices and not is_list and default is not None:
        spec.update(type="choice", choices=[str(choice) for choice in choices], default=str(default))
    elif is_list:
        values = default if isinstance(default, (list, tuple)) else [] if default is None else [default]
        spec["default"] = " ".join(shlex.quote(str(value)) for value in values)
    elif isinstance(default, (int, float)) and (type_name in _NUMBERS or type_name == ""):
        is_whole = type_name == "int" or (type_name == "" and isinstance(default, int))
        spec.update(type="integer" if is_whole and default == int(default) else "number", default=default)
    elif default is not None:
        spec["default"] = str(default)
    required = known("required") is True or (positional and default is None and known("nargs") not in ("?", "*"))
    if required and "default" not in keywords:
        spec["required"] = True
        if type_name in _NUMBERS:
            spec.update(type=_NUMBERS[type_name], default=0)
    return Option(spec, "" if positional else long, action, is_list, type_name)
