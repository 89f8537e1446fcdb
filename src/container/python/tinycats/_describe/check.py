"""Checks parameters against their specs, in the words that the recipes of our own use."""

from __future__ import annotations

import json


def problems(specs, values):
    """What is wrong, one line a parameter; empty where all fit. A parameter that is not given has its default."""
    known = {spec["name"]: spec for spec in specs}
    found = [f"{name}: there is no such parameter; there are {', '.join(known) or 'none'}" for name in values if name not in known]
    for name, spec in known.items():
        if spec.get("required") and values.get(name, "") == "":
            found.append(f"{name}: a value is needed, it has no default")
            continue
        value = values.get(name, spec["default"])
        expected = _mismatch(spec, value)
        if expected is not None:
            found.append(f"{name}: expected {expected}, got {json.dumps(value)}")
    return found


def _mismatch(spec, value):
    kind = spec["type"]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "integer":
        return None if is_number and value == int(value) else "a whole number"
    if kind == "number":
        return None if is_number else "a number"
    if kind == "boolean":
        return None if isinstance(value, bool) else "true or false"
    if kind == "choice":
        return None if value in spec["choices"] else f"one of {', '.join(spec['choices'])}"
    if not isinstance(value, str):
        return "text"
    if spec.get("json") and value != "":
        try:
            json.loads(value)
        except ValueError:
            return "JSON, such as [1, 2]"
    return None
