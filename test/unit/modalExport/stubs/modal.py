"""A stub of the package `modal`, for tests: takes what the real one takes, refuses what it refuses, and plays a
container by a process of this machine. What it checks was read in the source of the client, version 1.x.
"""

import argparse
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import typing
from pathlib import Path, PurePosixPath

ROOT = Path(os.environ["STUB_CONTAINER_ROOT"])
IS_CONTAINER = os.environ.get("STUB_IS_CONTAINER") == "1"
CLS_OPTIONS = {
    "image", "env", "secrets", "gpu", "serialized", "volumes", "cpu", "memory", "min_containers", "max_containers",
    "scaledown_window", "retries", "timeout", "enable_memory_snapshot", "include_source", "experimental_options",
}  # fmt: skip


class InvalidError(Exception):
    pass


def check(condition, message):
    if not condition:
        raise InvalidError(message)


def note(what):
    with (ROOT / "notes.jsonl").open("a") as file:
        file.write(json.dumps(what) + "\n")


class Retries:
    def __init__(self, *, max_retries, backoff_coefficient=2.0, initial_delay=1.0, max_delay=60.0):
        check(isinstance(max_retries, int) and max_retries >= 0, "max_retries")
        check(1.0 <= backoff_coefficient <= 10.0, "backoff_coefficient")
        check(0.0 <= initial_delay <= 60, "initial_delay")
        check(1.0 <= max_delay <= 60, "max_delay")
        self.facts = [max_retries, backoff_coefficient, initial_delay, max_delay]


class Volume:
    def __init__(self, name):
        self.name = name

    @staticmethod
    def from_name(name, *, environment_name=None, create_if_missing=False, version=None):
        check(re.match(r"^[a-zA-Z0-9-_.]{1,64}$", name), f"bad name {name}")
        return Volume(name)

    def commit(self):
        check(IS_CONTAINER, "commit() outside of a container")
        note({"commit": self.name})


class Image:
    def __init__(self):
        self.files, self.packages, self.variables, self.directory = {}, [], {}, "/root"

    @staticmethod
    def debian_slim(python_version=None, force_build=False):
        check(isinstance(python_version, str), "python_version has to be a text")
        return Image()

    def uv_pip_install(self, *packages, requirements=None, uv_version=None):
        check(not self.files, "nothing may be installed after add_local_file without copy=True")
        self.packages += packages
        return self

    def env(self, variables):
        check(not self.files, "no layer may follow add_local_file without copy=True")
        check(all(isinstance(value, str) for value in variables.values()), "ENV variables must be strings")
        self.variables.update(variables)
        return self

    def workdir(self, path):
        check(not self.files, "no layer may follow add_local_file without copy=True")
        self.directory = path
        return self

    def add_local_file(self, local_path, remote_path, *, copy=False):
        check(PurePosixPath(remote_path).is_absolute(), "only absolute remote_path values")
        check(IS_CONTAINER or Path(local_path).is_file(), f"no file {local_path}")
        self.files[remote_path] = Path(local_path)
        return self


class PartialFunction:
    def __init__(self, function, kind):
        self.function, self.kind = function, kind


def enter(*positional, snap=False):
    check(not positional, "Did you forget parentheses?")
    return lambda function: PartialFunction(function, f"enter-{'before' if snap else 'after'}")


def method(*positional, is_generator=None):
    check(not positional, "Did you forget parentheses?")
    return lambda function: PartialFunction(function, "method")


class App:
    def __init__(self, name=None):
        check(name is None or re.match(r"^[a-zA-Z0-9-_.]{1,64}$", name), f"bad name {name}")
        self.classes, self.main = {}, None

    def cls(self, *positional, **options):
        check(not positional, "Did you forget parentheses?")
        check(set(options) <= CLS_OPTIONS, f"no such options: {set(options) - CLS_OPTIONS}")
        check(options.get("gpu") is None or isinstance(options["gpu"], str), "gpu")
        check(isinstance(options.get("timeout", 300), int) and options.get("timeout", 300) > 0, "timeout")
        window = options.get("scaledown_window")
        check(window is None or (isinstance(window, int) and 2 <= window <= 1200), "scaledown_window")
        check(all(isinstance(volume, Volume) for volume in options.get("volumes", {}).values()), "volumes")
        check(all(path.startswith("/") for path in options.get("volumes", {})), "volumes")
        if not IS_CONTAINER:
            facts = {name: value for name, value in options.items() if name not in ("image", "volumes", "retries")}
            facts["retries"] = options["retries"].facts
            facts["volumes"] = {path: volume.name for path, volume in options["volumes"].items()}
            note({"cls": facts, "packages": options["image"].packages, "files": sorted(options["image"].files)})

        def register(user_class):
            hooks = [(name, part) for name, part in vars(user_class).items() if isinstance(part, PartialFunction)]
            handle = StubClass(user_class, dict(hooks), options["image"])
            self.classes[user_class.__name__] = handle
            return handle

        return register

    def local_entrypoint(self, *positional):
        check(not positional, "Did you forget parentheses?")

        def register(function):
            self.main = function
            return function

        return register


class StubClass:
    """What `@app.cls` leaves in place of the class."""

    def __init__(self, user_class, parts, image):
        self.user_class, self.parts, self.image = user_class, parts, image

    def __call__(self):
        return self

    def __getattr__(self, name):
        check(self.parts[name].kind == "method", f"{name} is no method")
        return StubMethod(self, name)

    def run(self, name, args, kwargs):
        """In the container: what an input sees."""
        instance = object.__new__(self.user_class)
        for kind in ("enter-before", "enter-after"):
            for hook, part in self.parts.items():
                if part.kind == kind:
                    note({"enter": hook, "snap": kind == "enter-before"})
                    part.function(instance)
        return self.parts[name].function(instance, *args, **kwargs)


class StubMethod:
    def __init__(self, owner, name):
        self.owner, self.name = owner, name

    def remote(self, *args, **kwargs):
        """Starts a container that has the image's files and nothing else."""
        image = self.owner.image
        for remote, local in image.files.items():
            place = ROOT / remote.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(local, place)
        app_file = ROOT / "root" / "the_app.py"
        app_file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sys.modules[self.owner.user_class.__module__].__file__, app_file)
        inside = [str(ROOT / part.lstrip("/")) for part in image.variables.get("PYTHONPATH", "").split(":") if part]
        here = Path(__file__).parent
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            **image.variables,
            "PYTHONPATH": os.pathsep.join([*inside, str(app_file.parent), str(here), str(here / "packages")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "STUB_IS_CONTAINER": "1",
        }
        call = json.dumps([self.owner.user_class.__name__, self.name, args, kwargs])
        code = "import json, os, the_app; c, m, a, k = json.loads(os.environ['STUB_CALL'])\n"
        code += "r = the_app.app.classes[c].run(m, a, k); open(os.environ['STUB_RESULT'], 'w').write(json.dumps(r))"
        environment |= {"STUB_CALL": call, "STUB_RESULT": str(ROOT / "result.json")}
        directory = ROOT / image.directory.lstrip("/")
        subprocess.run([sys.executable, "-c", code], cwd=directory, env=environment, check=True, stdout=sys.stderr)
        return json.loads((ROOT / "result.json").read_text())


def parse_command_line(function, arguments):
    """Options as `modal run` makes them from the entrypoint's signature."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind == parameter.VAR_POSITIONAL for parameter in parameters):
        return arguments, {}
    hints = typing.get_type_hints(function)
    parser = argparse.ArgumentParser()
    for parameter in parameters:
        hint, option = hints[parameter.name], "--" + parameter.name.replace("_", "-")
        kind = next((a for a in typing.get_args(hint) if a is not type(None)), hint)
        required = {"required": parameter.default is parameter.empty, "default": parameter.default}
        if typing.get_origin(hint) is typing.Literal:
            values = typing.get_args(hint)
            parser.add_argument(option, type=type(values[0]), choices=values, **required)
        elif kind is bool:
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **required)
        else:
            check(kind in (str, int, float), f"Parameter {parameter.name} has unparseable annotation: {hint}")
            parser.add_argument(option, type=kind, **required)
    return (), vars(parser.parse_args(arguments))
