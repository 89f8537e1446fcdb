"""What marks methods and functions as the enter hook or as something to train with."""

from __future__ import annotations

MARK = "__tinycats_mark__"


def marker(kind):
    """A decorator that works bare and with arguments, which are ignored: `@enter`, `@enter()`, `@enter(snap=True)`."""

    def mark(function):
        try:
            setattr(function, MARK, kind)
        except AttributeError:  # a builtin, or something with slots
            pass
        return function

    def decorator(*args, **options):
        if len(args) == 1 and not options and callable(args[0]):
            return mark(args[0])
        return mark

    decorator.__name__ = kind
    return decorator


enter = marker("enter")
train = marker("train")


def mark_of(value):
    """`enter`, `train` or None."""
    inner = getattr(value, "__func__", value)
    mark = getattr(inner, MARK, None)
    return mark if isinstance(mark, str) else None
