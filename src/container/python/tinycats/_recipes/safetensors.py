"""The safetensors format, with the standard library and torch: https://github.com/huggingface/safetensors#format"""

from __future__ import annotations

import json
import os
import struct

_LONGEST_HEADER = 100_000_000


def write(path, tensors, metadata):
    """Writes tensors as float32, whole or not at all. `tensors`: (name, tensor) in their order."""
    import torch

    header, arrays, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors:
        array = tensor.detach().to("cpu", torch.float32).contiguous()
        size = array.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + size]}
        offset += size
        arrays.append(array)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    partial = f"{path}.part"
    try:
        with open(partial, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for array in arrays:
                file.write(memoryview(array.numpy()).cast("B") if array.numel() else b"")
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


def read(path):
    """(tensors by name, metadata) of a file of floats. Raises ValueError where it is no such file."""
    import numpy
    import torch

    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BF16": "<u2"}
    with open(path, "rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= _LONGEST_HEADER:
            raise ValueError(f"{path} is no .safetensors file")
        try:
            header = json.loads(file.read(length))
        except ValueError:
            raise ValueError(f"{path}: its header is no JSON, it may be cut off") from None
        data = file.read()
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, facts in header.items():
        begin, end = facts["data_offsets"]
        if end > len(data) or facts["dtype"] not in kinds:
            raise ValueError(f'{path}: the tensor "{name}" is cut off or of a type that cannot be read')
        array = numpy.frombuffer(data[begin:end], kinds[facts["dtype"]])
        if facts["dtype"] == "BF16":
            array = (array.astype(numpy.uint32) << 16).view(numpy.float32)
        tensors[name] = torch.from_numpy(array.astype(numpy.float32)).reshape(facts["shape"])
    return tensors, metadata
