"""What a training file uses of Modal, as far as it makes sense on a container of Tiny Cats.

Marks are those of Tiny Cats; images, volumes, secrets and schedules take whatever they are given and do nothing.
"""

from __future__ import annotations

from tinycats._marks import enter, marker, train


class Nothing:
    """Takes every call, attribute and item, and gives itself."""

    def __init__(self, *_args, **_options):
        pass

    def __call__(self, *args, **options):
        # A decorator that nobody knows of leaves the function as it is.
        if len(args) == 1 and not options and callable(args[0]) and not isinstance(args[0], Nothing):
            return args[0]
        return self

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _key):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return False

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False


class App(Nothing):
    """`@app.function`, `@app.cls` and `@app.local_entrypoint` leave what they decorate as it is, marked."""

    function = staticmethod(train)
    cls = staticmethod(marker("container"))
    local_entrypoint = staticmethod(marker("local_entrypoint"))


class _Kind(type):
    """A class whose every name is a call that does nothing: `Image.debian_slim`, `Volume.from_name`."""

    def __getattr__(cls, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Nothing()


class Stub(Nothing, metaclass=_Kind):
    pass


def parameter(*, default=None, init=True):
    return default


def is_local():
    return True


def names():
    kinds = ("Image", "Volume", "Secret", "Mount", "Retries", "Cron", "Period", "Dict", "Queue", "Sandbox", "NetworkFileSystem",
             "CloudBucketMount", "Function", "Cls", "Proxy", "Tunnel")
    return {
        "App": App,
        "Stub": App,
        "enter": enter,
        "method": train,
        "exit": marker("exit"),
        "parameter": parameter,
        "is_local": is_local,
        **{name: _Kind(name, (Stub,), {}) for name in kinds},
    }


def anything(name):
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)
    return Nothing()
