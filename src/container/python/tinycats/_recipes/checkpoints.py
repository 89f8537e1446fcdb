"""Checkpoints of our own recipes: the layout and metadata of those that the embedded engines write."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import datetime, timezone

from tinycats._container.failures import RunFailure
from tinycats._recipes import safetensors

FILES = {"best": "best.safetensors", "last": "last.safetensors"}
ENGINE = "torch"
_RUN_ID = re.compile(r"^\d{8}-\d{6}-[0-9a-z]+$", re.IGNORECASE)


def save(run_dir, kind, tensors, metadata):
    """Returns the file's path."""
    path = os.path.join(run_dir, FILES[kind])
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    common = {"format": "tiny-cats", "engine": ENGINE, "created_at": now}
    text = {name: value if isinstance(value, str) else json.dumps(value) for name, value in metadata.items()}
    safetensors.write(path, tensors, {**common, **text})
    return path


def event(run_dir, kind, **facts):
    size = os.stat(os.path.join(run_dir, FILES[kind])).st_size
    return {"type": "checkpoint", "kind": kind, "file": FILES[kind], "bytes": size, **facts}


def optimizer_tensors(optimizer, named):
    """AdamW's moments by the names of their parameters, and its step."""
    import torch

    tensors, step = [], 0.0
    for name, parameter in named:
        state = optimizer.state.get(parameter)
        if state:
            step = float(state["step"])
            tensors += [(f"optimizer/{name}/m", state["exp_avg"]), (f"optimizer/{name}/v", state["exp_avg_sq"])]
    return [("optimizer/step", torch.tensor([step])), *tensors]


def restore_optimizer(optimizer, named, tensors):
    import torch

    step = tensors["optimizer/step"].item()
    if step == 0:
        return
    for name, parameter in named:
        moments = {"exp_avg": f"optimizer/{name}/m", "exp_avg_sq": f"optimizer/{name}/v"}
        state = {"step": torch.tensor(step)}
        for key, stored in moments.items():
            if stored not in tensors or tensors[stored].shape != parameter.shape:
                raise RunFailure("parameters", f'resume: the optimiser\'s "{stored}" is missing or of another size')
            state[key] = tensors[stored].to(parameter.device).clone(memory_format=torch.preserve_format)
        optimizer.state[parameter] = state


def read_last(folder, recipe):
    """(tensors, metadata with its JSON read) of the checkpoint to go on from. Raises RunFailure."""
    path = folder if folder.endswith(".safetensors") else os.path.join(folder, FILES["last"])
    try:
        tensors, metadata = safetensors.read(path)
        if metadata.get("recipe") != recipe:
            raise ValueError(f"{path} is of another recipe, {metadata.get('recipe')}")
        if metadata.get("engine") != ENGINE:
            raise ValueError(f'it was computed by "{metadata.get("engine")}": go on there, or start with init_from')
        return tensors, {name: _maybe_json(value) for name, value in metadata.items()}
    except (OSError, ValueError) as error:
        raise RunFailure("parameters", f"resume: the run cannot be gone on with: {error}") from None


def run_folder(outputs_dir, given, what):
    """Folder of a run by its id, or the path as given."""
    if not _RUN_ID.match(given):
        return os.path.join(outputs_dir, given)
    root = os.path.join(outputs_dir, "checkpoints")
    for recipe in _folders(root):
        for date in _folders(os.path.join(root, recipe)):
            path = os.path.join(root, recipe, date, given)
            if os.path.isdir(path):
                return path
    raise RunFailure("parameters", f'{what}: there is no run "{given}" in {outputs_dir}')


def output_path(outputs_dir, output):
    """Where the parameter `output` wants the best checkpoint; None if it is not given."""
    if output == "":
        return None
    if not output.endswith(".safetensors"):
        raise RunFailure("parameters", f'output: expected the name of a .safetensors file, got "{output}"')
    root = os.path.realpath(outputs_dir)
    path = os.path.realpath(os.path.join(root, output))
    if not path.startswith(root + os.sep):
        raise RunFailure("parameters", f'output: expected a path inside the outputs volume {root}, got "{output}"')
    return path


def deliver(best, output):
    """Copies the best checkpoint to where the user wants it. Returns the path that the result names."""
    if output is None:
        return best
    os.makedirs(os.path.dirname(output), exist_ok=True)
    shutil.copyfile(best, output + ".part")
    os.replace(output + ".part", output)
    return output


def _folders(path):
    try:
        return [entry.name for entry in os.scandir(path) if entry.is_dir()]
    except OSError:
        return []


def _maybe_json(text):
    try:
        return json.loads(text)
    except ValueError:
        return text
