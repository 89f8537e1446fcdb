"""Pictures of all kinds as a PNG file, with nothing but the standard library."""

from __future__ import annotations

import os
import shutil
import struct
import zlib

GAP = 2
"""Pixels between two pictures of a grid."""


def write_png(path, width, height, rgb):
    """Writes bytes, row by row, 3 a pixel."""
    rows = b"".join(b"\0" + rgb[row * width * 3 : (row + 1) * width * 3] for row in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")
    with open(path + ".part", "wb") as file:
        file.write(data)
    os.replace(path + ".part", path)


def save_picture(image, path, columns=None):
    """Saves whatever `tinycats.sample` takes. Returns (pictures, columns). Raises TypeError or ValueError."""
    if isinstance(image, (str, os.PathLike)):
        return _save_file(os.fspath(image), path)
    if hasattr(image, "savefig"):
        image.savefig(path, format="png")
        return 1, 1
    if hasattr(image, "convert") and hasattr(image, "tobytes"):
        rgb = image.convert("RGB")
        write_png(path, rgb.width, rgb.height, rgb.tobytes())
        return 1, 1
    return _save_array(image, path, columns)


def _save_file(source, path):
    if source.lower().endswith(".png"):
        shutil.copyfile(source, path)
        return 1, 1
    try:
        from PIL import Image
    except ImportError:
        raise ValueError(f"tinycats.sample: {source} is no .png, and Pillow is not installed to read it") from None
    with Image.open(source) as picture:
        return save_picture(picture, path)


def _save_array(image, path, columns):
    import numpy

    if isinstance(image, (list, tuple)):
        array = numpy.stack([_pixels(_array(one)) for one in image])
    else:
        given = _array(image)
        array = numpy.stack([_pixels(one) for one in given]) if given.ndim == 4 else _pixels(given)[None]
    count, height, width, _ = array.shape
    columns = max(1, min(count, columns or int(count**0.5 + 0.999)))
    if count == 1:
        write_png(path, width, height, array[0].tobytes())
        return 1, 1
    rows = -(-count // columns)
    grid = numpy.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, numpy.uint8)
    for index, pixels in enumerate(array):
        top, left = GAP + index // columns * (height + GAP), GAP + index % columns * (width + GAP)
        grid[top : top + height, left : left + width] = pixels
    write_png(path, grid.shape[1], grid.shape[0], grid.tobytes())
    return count, columns


def _array(image):
    import numpy

    if hasattr(image, "detach"):
        image = image.detach().float().cpu().numpy() if image.is_floating_point() else image.detach().cpu().numpy()
    array = numpy.asarray(image)
    if array.ndim not in (2, 3, 4):
        raise ValueError(f"tinycats.sample: expected an image HxW, HxWxC or CxHxW, or a batch; got the shape {array.shape}")
    return array


def _pixels(array):
    """Bytes, HxWx3, of one image."""
    import numpy

    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim == 2:
        array = array[:, :, None]
    array = array[:, :, :3] if array.shape[2] >= 3 else array[:, :, :1].repeat(3, axis=2)
    if array.dtype.kind == "f":
        array = (numpy.nan_to_num(array).clip(0, 1) * 255).round()
    elif array.dtype.kind == "b":
        array = array * 255
    return numpy.ascontiguousarray(array.clip(0, 255).astype(numpy.uint8))
