"""Readies the device: what its first use would cost is paid once for the container."""

from __future__ import annotations

import platform
import sys


def initialise(recorder):
    """Warms up PyTorch's device in phases. Returns the device's name for the user."""
    import torch

    if not torch.cuda.is_available():
        with recorder.phase("CPU warm-up"):
            _convolve(torch, "cpu")
        threads = torch.get_num_threads()
        return f"CPU, {threads} thread{'' if threads == 1 else 's'}"
    with recorder.phase("CUDA context and first allocation"):
        torch.zeros(1, device="cuda")
        torch.cuda.synchronize()
    with recorder.phase("cuBLAS"):
        square = torch.ones(64, 64, device="cuda")
        torch.mm(square, square)
        torch.cuda.synchronize()
    with recorder.phase("cuDNN: convolution forward and backward"):
        _convolve(torch, "cuda")
        torch.cuda.synchronize()
    torch.cuda.empty_cache()
    return torch.cuda.get_device_name()


def _convolve(torch, device):
    """A small step as training has it: it starts threads and handles, and changes no random state."""
    states = torch.get_rng_state()
    layer = torch.nn.Conv2d(3, 16, 3, padding=1).to(device)
    images = torch.zeros(2, 3, 32, 32, device=device)
    layer(images).relu().mean().backward()
    torch.optim.SGD(layer.parameters(), lr=0.0).step()
    torch.set_rng_state(states)


def device_facts(name, gpu):
    """What the panel shows of the device. `gpu`: a sampler, or None."""
    torch = sys.modules.get("torch")
    facts = {"name": name, "python": platform.python_version()}
    if gpu is not None:
        facts.update({key: value for key, value in gpu.facts.items() if value})
    if torch is not None:
        facts["torch"] = str(torch.__version__)
        if torch.cuda.is_available():
            facts["name"] = torch.cuda.get_device_name()
            facts["memoryBytes"] = torch.cuda.get_device_properties(0).total_memory
            facts["cuda"] = str(torch.version.cuda)
    return facts
