"""Utilisation and memory of the GPU: by NVML where its library is, else by `nvidia-smi`."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading

_QUERY = "utilization.gpu,memory.used,memory.total,driver_version,name"
_MEBI = 2**20


def open_gpu():
    """A sampler of the first visible GPU, or None. `sample()` gives a device event's values; `facts` name and driver."""
    for kind in (Nvml, NvidiaSmi):
        try:
            return kind(first_visible())
        except (OSError, ValueError, AttributeError):
            continue
    return None


def first_visible():
    """Index, as text, or UUID of the first GPU that the code may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    if visible == "-1":
        raise ValueError("no GPU is visible")
    return visible or "0"


class _Utilisation(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class Nvml:
    def __init__(self, device):
        self._library = ctypes.CDLL("libnvidia-ml.so.1")
        self._handle = ctypes.c_void_p()
        self._check(self._library.nvmlInit_v2())
        if device.isdigit():
            found = self._library.nvmlDeviceGetHandleByIndex_v2(int(device), ctypes.byref(self._handle))
        else:
            found = self._library.nvmlDeviceGetHandleByUUID(device.encode(), ctypes.byref(self._handle))
        self._check(found)
        self.facts = {
            "name": self._text(lambda text: self._library.nvmlDeviceGetName(self._handle, text, 96)),
            "driver": self._text(lambda text: self._library.nvmlSystemGetDriverVersion(text, 96)),
            "memoryBytes": self.sample().get("memoryTotalBytes"),
        }

    def sample(self):
        values = {}
        utilisation, memory = _Utilisation(), _Memory()
        if self._library.nvmlDeviceGetUtilizationRates(self._handle, ctypes.byref(utilisation)) == 0:
            values["utilisation"] = utilisation.gpu / 100
        if self._library.nvmlDeviceGetMemoryInfo(self._handle, ctypes.byref(memory)) == 0:
            values.update(memoryUsedBytes=memory.used, memoryTotalBytes=memory.total)
        return values

    def close(self):
        self._library.nvmlShutdown()

    @staticmethod
    def _check(code):
        if code != 0:
            raise OSError(f"NVML says {code}")

    @staticmethod
    def _text(read):
        text = ctypes.create_string_buffer(96)
        return text.value.decode("utf-8", "replace") if read(text) == 0 else ""


class NvidiaSmi:
    """One process that writes a line a second for as long as it is needed."""

    def __init__(self, device):
        program = shutil.which("nvidia-smi")
        if program is None:
            raise OSError("there is no nvidia-smi")
        command = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits", f"--id={device}"]
        first = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
        values, self.facts = parse_line(first.stdout.strip().split("\n")[0])
        self._newest = values
        self._child = subprocess.Popen(
            [*command, "--loop=1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self._read, name="tinycats-gpu", daemon=True).start()

    def sample(self):
        return dict(self._newest)

    def close(self):
        self._child.kill()

    def _read(self):
        for line in self._child.stdout:
            try:
                self._newest = parse_line(line)[0]
            except ValueError:
                continue


def parse_line(line):
    """(values, facts) of `37, 1024, 15360, 535.104, Tesla T4`; what a GPU does not tell is left out."""
    fields = [field.strip() for field in line.split(",", 4)]
    if len(fields) != 5:
        raise ValueError(f"nvidia-smi says {line!r}")
    utilisation, used, total = (_number(field) for field in fields[:3])
    values = {
        "utilisation": None if utilisation is None else utilisation / 100,
        "memoryUsedBytes": None if used is None else int(used * _MEBI),
        "memoryTotalBytes": None if total is None else int(total * _MEBI),
    }
    facts = {"name": fields[4], "driver": fields[3], "memoryBytes": values["memoryTotalBytes"]}
    return {name: value for name, value in values.items() if value is not None}, facts


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None
