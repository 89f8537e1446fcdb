"""What `train` returned, as JSON."""

from __future__ import annotations

import json

MOST_RETURNED = 64 * 1024


def json_safe(value, depth=0):
    """What JSON can say of a value: numbers and text as they are, tensors and arrays as numbers, the rest as text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if depth < 8 and isinstance(value, dict):
        return {str(key): json_safe(inner, depth + 1) for key, inner in list(value.items())[:1000]}
    if depth < 8 and isinstance(value, (list, tuple, set)):
        return [json_safe(inner, depth + 1) for inner in list(value)[:1000]]
    if hasattr(value, "tolist") and getattr(value, "size", None) is not None:
        elements = value.numel() if hasattr(value, "numel") else value.size
        if elements <= 1000:
            return json_safe(value.tolist(), depth + 1)
    return str(value)[:1000]


def returned(value):
    """The value as the result keeps it: at most 64 KiB of JSON."""
    safe = json_safe(value)
    text = json.dumps(safe, allow_nan=False)
    return safe if len(text) <= MOST_RETURNED else f"{text[:1000]}… ({len(text)} characters, too long to keep)"
