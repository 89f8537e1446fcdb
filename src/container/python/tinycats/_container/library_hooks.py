"""What is listened to in libraries, so that code need not know of Tiny Cats."""

from __future__ import annotations

import functools
import os


def listen(hooks, listener):
    """`listener`: `optimizer_made()`, `optimizer_stepped()`, `scalar(tag, value, step)` and `saved(path)`, each called while a run is on or not."""
    hooks.after("torch.optim.optimizer", lambda module: _hear_steps(module, listener))
    hooks.after("torch", lambda module: _hear_saves(module, listener))
    hooks.after("torch", _allow_thread_settings)
    hooks.after("torch.utils.tensorboard.writer", lambda module: _hear_scalars(module, listener))
    hooks.after("tensorboardX.writer", lambda module: _hear_scalars(module, listener))


def _hear_steps(module, listener):
    optimizer = module.Optimizer
    register = getattr(module, "register_optimizer_step_post_hook", None)
    if register is not None:
        register(lambda optimizer, args, kwargs: listener.optimizer_stepped())
    make = optimizer.__init__

    @functools.wraps(make)
    def make_and_tell(self, *args, **kwargs):
        make(self, *args, **kwargs)
        if register is None:
            _wrap_step(type(self), listener)
        listener.optimizer_made()

    optimizer.__init__ = make_and_tell


def _wrap_step(kind, listener):
    """Before PyTorch 2.0 there is no hook: the class's `step` is wrapped, as the profiler wraps it."""
    step = kind.step
    if getattr(step, "tells_tinycats", False):
        return

    @functools.wraps(step)
    def stepped(*args, **kwargs):
        result = step(*args, **kwargs)
        listener.optimizer_stepped()
        return result

    stepped.tells_tinycats = True
    kind.step = stepped


def _hear_saves(torch, listener):
    save = torch.save

    @functools.wraps(save)
    def save_and_tell(obj, f, *args, **kwargs):
        result = save(obj, f, *args, **kwargs)
        if isinstance(f, (str, os.PathLike)):
            listener.saved(os.path.abspath(os.fspath(f)))
        return result

    torch.save = save_and_tell


def _allow_thread_settings(torch):
    """`set_num_interop_threads` refuses to be called once something was computed, as it is in a warm container."""
    set_threads = torch.set_num_interop_threads

    @functools.wraps(set_threads)
    def set_if_possible(*args, **kwargs):
        try:
            return set_threads(*args, **kwargs)
        except RuntimeError:
            return None

    torch.set_num_interop_threads = set_if_possible


def _hear_scalars(module, listener):
    writer = module.SummaryWriter
    add_scalar, add_scalars = writer.add_scalar, writer.add_scalars

    @functools.wraps(add_scalar)
    def add_and_tell(self, tag, scalar_value, global_step=None, *args, **kwargs):
        listener.scalar(tag, scalar_value, global_step)
        return add_scalar(self, tag, scalar_value, global_step, *args, **kwargs)

    @functools.wraps(add_scalars)
    def add_all_and_tell(self, main_tag, tag_scalar_dict, global_step=None, *args, **kwargs):
        for tag, value in tag_scalar_dict.items():
            listener.scalar(f"{main_tag}/{tag}", value, global_step)
        return add_scalars(self, main_tag, tag_scalar_dict, global_step, *args, **kwargs)

    writer.add_scalar, writer.add_scalars = add_and_tell, add_all_and_tell
