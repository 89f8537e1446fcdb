"""The user's own code: imported and entered once, then run as often as it is asked for, with what changed in between."""

from __future__ import annotations

import importlib
import os
import sys
import types

from tinycats._container import warm_up
from tinycats._container.enter_source import EnterSource, difference
from tinycats._container.failures import RunFailure, describe, message_of
from tinycats._container.loader import UserModules
from tinycats._container.reload import Reloader
from tinycats._container.static_imports import libraries_of
from tinycats._container.workspace import Workspace
from tinycats._describe.check import problems
from tinycats._describe.entrypoint import DescribeError, read_entrypoint, split
from tinycats._describe.options import argv

_WATCHED_HOOKS = ("__init__", "__new__", "__post_init__")


class UserProgram:
    tells_all = False

    def __init__(self, program, log):
        """`program`: the supervisor's; `log(level, text, location)` reaches the user outside of a run, too."""
        self._entrypoint = program["entrypoint"]
        self._workspace = Workspace(program["folder"], split(self._entrypoint)[0])
        self._modules = UserModules(self._workspace)
        self._reloader = Reloader(self._modules)
        self._source = EnterSource(self._workspace.owns)
        self._log = log
        self._entered = {}
        """What the enter hooks made that have succeeded: (instance or value, hashes of its source) by the name of their
        class, empty for the module's own."""

    @property
    def folder(self):
        return self._workspace.folder

    @property
    def owns(self):
        return self._workspace.owns

    def enter(self, order, recorder):
        """Imports, warms up the device, calls the user's enter hook. Returns (engine, device).

        What is wrong in the user's code is said, and tried again by the next run.
        """
        sys.path[:0] = [path for path in self._workspace.search_path if path not in sys.path]
        os.chdir(self.folder)
        self._modules.install()
        with recorder.phase("module import"):
            for name in libraries_of(self._workspace):
                with recorder.phase(name):
                    self._import_library(name)
            self._try(lambda: self._import_user(recorder))
        engine, device = "python", "CPU"
        if "torch" in sys.modules:
            with recorder.phase("device initialisation"):
                engine, device = "torch", warm_up.initialise(recorder)
        self._try(lambda: self._enter(self._read(), recorder))
        return engine, device

    def prepare(self, order, recorder, emit):
        """Makes ready one run: re-reads what changed. Returns a function that trains.

        Raises RunFailure, and whatever the user's code raises while it is imported.
        """
        self._entrypoint = order.get("program", {}).get("entrypoint", self._entrypoint)
        found = self._read()
        wrong = problems(found.specs, order["params"])
        if wrong:
            raise RunFailure("parameters", "\n".join(wrong))
        with recorder.phase("reload"):
            module, unloaded = self._load(found)
        if unloaded:
            names = ", ".join(self._workspace.relative(path) for path in self._paths(unloaded))
            emit({"type": "log", "level": "info", "text": f"Read again: {names}."})
        entered = found.class_name in self._entered
        if found.enter and not entered:
            self._enter(found, recorder)
        elif entered:
            self._take_over(found, module, emit)
        return lambda: self._call(found, module, order["params"])

    def files(self):
        """The user's files that were run, with their hashes: the newest version of each."""
        self._modules.adopt()
        facts = {
            self._workspace.relative(loaded.path): loaded.sha256
            for name, loaded in sorted(self._modules.loaded.items())
            if name in sys.modules
        }
        return [{"path": path, "sha256": sha256} for path, sha256 in sorted(facts.items())]

    # Importing.

    def _read(self):
        try:
            return read_entrypoint(self.folder, self._entrypoint)
        except DescribeError as error:
            if error.line is None:
                raise RunFailure("parameters", error.message) from None
            problem = SyntaxError(error.message.partition(": ")[2] or error.message)
            problem.filename, problem.lineno = error.file, error.line
            problem.msg = error.message.partition(": ")[2] or error.message
            raise problem from None

    def _load(self, found):
        """The entry's module as its files are now, and the paths of what was unloaded for it."""
        name = self._workspace.module
        if found.call == "script":
            # Its top is the training: it runs in `_call`.
            return None, self._reloader.unload_changed()
        return self._reloader.load(name)

    def _paths(self, names):
        paths = []
        for name in names:
            loaded = self._modules.loaded.get(name)
            if loaded is not None:
                paths.append(loaded.path)
        return paths

    def _import_library(self, name):
        try:
            importlib.import_module(name)
        except Exception as error:  # the user's own import of it will say so, if it comes to that
            self._log("debug", f"{name} cannot be imported: {message_of(error)}", None)

    def _import_user(self, recorder):
        found = self._read()
        if found.call == "script":
            return
        with recorder.phase(self._workspace.relative(self._workspace.file)):
            self._load(found)

    def _try(self, work):
        try:
            work()
        except (Exception, SystemExit) as error:
            if isinstance(error, RunFailure):
                self._log("error", str(error), None)
            else:
                self._log("error", *describe(error, self.owns))

    # The enter hook.

    def _enter(self, found, recorder):
        """Makes the instance and calls what is marked `enter`; remembers the source that it was."""
        module = sys.modules.get(self._workspace.module)
        if module is None or not (found.enter or found.call == "method"):
            return
        hashes = self._hashes(found)
        made = None
        with recorder.phase("enter hook"):
            if found.call == "method":
                made = _get(module, found.class_name)()
                for name in found.enter:
                    getattr(made, name)()
            else:
                for name in found.enter:
                    value = _get(module, name)()
                    made = value if value is not None else made
        self._entered[found.class_name] = (made, hashes)

    def _hashes(self, found):
        names = list(found.enter)
        if found.call == "method":
            names = [f"{found.class_name}.{name}" for name in [*found.enter, *_WATCHED_HOOKS]]
        return self._source.of(self._workspace.module, names)

    def _take_over(self, found, module, emit):
        """What enter made goes on, with the newest class; what changed of its source is said."""
        made, before = self._entered[found.class_name]
        if found.call == "method" and module is not None:
            kind = _get(module, found.class_name)
            if type(made) is not kind:
                try:
                    made.__class__ = kind
                except TypeError as error:
                    emit({"type": "restart_needed", "reason": f"{found.class_name} cannot take over what enter made: {error}"})
                    return
        changed = difference(before, self._hashes(found))
        if changed:
            names = ", ".join(name.partition(".")[2] or name for name in changed[:3])
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
            reason = f"{names}{more} changed since the enter hook ran: what it made is the old one"
            emit({"type": "restart_needed", "reason": reason})

    # Training.

    def _call(self, found, module, params):
        if found.call in ("argv", "main", "script"):
            known = {option.name for option in found.options}
            sys.argv[:] = [self._workspace.file, *argv(found.options, {k: v for k, v in params.items() if k in known})]
            if found.call == "argv":
                return _get(module, found.function)()
            return self._run_main(module) if found.call == "main" else self._run_script()
        sys.argv[:] = [self._workspace.file]
        positional, named = self._arguments(found, module, params)
        if found.call == "method":
            made = self._made(found) or self._make(found, module)
            return _awaited(getattr(made, found.function)(*positional, **named))
        return _awaited(_get(module, found.function)(*positional, **named))

    def _make(self, found, module):
        made = _get(module, found.class_name)()
        self._entered[found.class_name] = (made, self._hashes(found))
        return made

    def _made(self, found):
        return self._entered.get(found.class_name, (None,))[0]

    def _arguments(self, found, module, params):
        positional, named = [], {}
        for given in found.parameters:
            if given.name not in params:
                continue
            value = params[given.name]
            if not given.given(value) and not given.positional:
                continue
            try:
                converted = given.convert(value, module)
            except (ValueError, TypeError, KeyError, StopIteration) as error:
                raise RunFailure("parameters", f"{given.name}: {value!r} does not fit: {message_of(error)}") from None
            if given.positional:
                positional.append(converted)
            else:
                named[given.name] = converted
        if found.takes_entered:
            named["entered"] = self._made(found)
        return positional, named

    def _run_main(self, module):
        """What stands under `if __name__ == "__main__":`, in the module that is imported already."""
        import ast

        source = self._modules.loaded[module.__name__].source
        tree = ast.parse(source, self._workspace.file)
        for node in tree.body:
            if isinstance(node, ast.If) and "__main__" in ast.dump(node.test):
                block = ast.Module(body=node.body, type_ignores=[])
                exec(compile(block, self._workspace.file, "exec"), module.__dict__)
                return None
        return None

    def _run_script(self):
        """The whole file: its top is the training."""
        self._modules.forget(self._workspace.module)
        importlib.import_module(self._workspace.module)
        return None


def _get(module, name):
    try:
        value = getattr(module, name)
    except AttributeError:
        raise RunFailure("parameters", f'{module.__name__} has no "{name}" once it is imported.') from None
    # A wrapper of some framework's that keeps the function it wraps.
    return getattr(value, "raw_f", value)


def _awaited(value):
    """What a coroutine or a generator comes to once it has run to its end."""
    if isinstance(value, types.CoroutineType):
        import asyncio

        return asyncio.run(value)
    if isinstance(value, types.GeneratorType):
        while True:
            try:
                next(value)
            except StopIteration as end:
                return end.value
    return value


