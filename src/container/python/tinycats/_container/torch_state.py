"""PyTorch's settings and random generators, taken before a run and put back after it."""

from __future__ import annotations

import sys


class TorchState:
    """What a training may set: taken from the torch that is imported."""

    def __init__(self, settings, generators):
        self._settings = settings
        self._generators = generators

    @classmethod
    def taken(cls):
        """None where torch is not imported."""
        torch = sys.modules.get("torch")
        if torch is None:
            return None
        settings = [(write, read()) for read, write in _settings(torch)]
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
        return cls(settings, (torch.get_rng_state(), cuda))

    @classmethod
    def defaults(cls):
        """For a torch that the run was the first to import: its generators are seeded anew."""
        return cls([], None)

    def restore(self):
        torch = sys.modules.get("torch")
        if torch is None:
            return
        self._end_distributed(torch)
        for write, value in self._settings:
            write(value)
        if self._generators is None:
            torch.seed()
            return
        cpu, cuda = self._generators
        torch.set_rng_state(cpu)
        if torch.cuda.is_initialized():
            if cuda is not None:
                torch.cuda.set_rng_state_all(cuda)
            else:
                torch.cuda.seed_all()

    @staticmethod
    def _end_distributed(torch):
        distributed = getattr(torch, "distributed", None)
        if distributed is not None and distributed.is_available() and distributed.is_initialized():
            distributed.destroy_process_group()


def free_cuda():
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _settings(torch):
    """(read, write) of each setting that this version of PyTorch has."""
    pairs = [
        (torch.get_default_dtype, torch.set_default_dtype),
        (torch.is_grad_enabled, torch.set_grad_enabled),
        (torch.get_num_threads, torch.set_num_threads),
        (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
        (lambda: _deterministic(torch), lambda value: torch.use_deterministic_algorithms(value[0], warn_only=value[1])),
    ]
    if hasattr(torch, "get_default_device") and hasattr(torch, "set_default_device"):
        pairs.append((lambda: _device(torch), torch.set_default_device))
    if hasattr(torch, "get_float32_matmul_precision"):
        pairs.append((torch.get_float32_matmul_precision, torch.set_float32_matmul_precision))
    cudnn = torch.backends.cudnn
    flags = [(cudnn, name) for name in ("enabled", "benchmark", "deterministic", "allow_tf32")]
    if torch.cuda.is_available():
        flags.append((torch.backends.cuda.matmul, "allow_tf32"))
    pairs += [_attribute(owner, name) for owner, name in flags if hasattr(owner, name)]
    sharing = getattr(torch, "multiprocessing", None)
    if sharing is not None:
        pairs.append((sharing.get_sharing_strategy, sharing.set_sharing_strategy))
    return pairs


def _attribute(owner, name):
    return (lambda: getattr(owner, name)), (lambda value: setattr(owner, name, value))


def _deterministic(torch):
    warn_only = getattr(torch, "is_deterministic_algorithms_warn_only_enabled", lambda: False)
    return torch.are_deterministic_algorithms_enabled(), warn_only()


def _device(torch):
    """The default device as it was set, None where it was not."""
    module = sys.modules.get("torch.utils._device")
    return getattr(module, "CURRENT_DEVICE", None)
