"""Folders of images, one sub-folder for each class: listed, decoded once and kept in memory as long as their files stay."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

from tinycats._container.failures import RunFailure

_IMAGE = re.compile(r"\.(?:jpe?g|png|webp)$", re.IGNORECASE)
_EXPECTED = "Expected one sub folder of images (.jpg, .jpeg, .png, .webp) per class, such as cat/ and other/."
_KEPT = 2
SAMPLE = "sample"


class Dataset:
    """Images as bytes [N, 3, side, side] with their labels."""

    def __init__(self, classes, labels, pixels, skipped):
        self.classes, self.labels, self.pixels, self.skipped = classes, labels, pixels, skipped

    @property
    def counts(self):
        return [self.labels.count(index) for index in range(len(self.classes))]

    def event(self, directory, train, val):
        classes = [{"name": name, "images": count} for name, count in zip(self.classes, self.counts)]
        return {"type": "dataset", "dir": directory, "classes": classes, "train": train, "val": val, "skipped": self.skipped}


class Datasets:
    """The newest few data sets of one trainer."""

    def __init__(self):
        self._decoded = {}

    def load(self, directory, data_dir, side, minimum_classes, log):
        """Raises RunFailure with a message for the user."""
        folder = os.path.join(data_dir, "sample-cats") if directory == SAMPLE else os.path.abspath(directory)
        if directory == SAMPLE and not os.path.isdir(folder):
            raise RunFailure("data", f"The sample data set is not in {folder} yet. Choose a folder of images as data_dir.")
        files, classes = _list(folder, minimum_classes)
        key = (folder, side, tuple((path, facts.st_size, facts.st_mtime_ns) for path, _, facts in files))
        dataset = self._decoded.pop(key, None) or _decode(folder, files, classes, side, minimum_classes, log)
        self._decoded[key] = dataset
        for old in list(self._decoded)[:-_KEPT]:
            del self._decoded[old]
        return dataset


def _list(folder, minimum_classes):
    if not os.path.isdir(folder):
        raise RunFailure("data", f'The data folder "{folder}" does not exist. Check the path or choose another folder. {_EXPECTED}')
    files, classes = [], []
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise RunFailure("data", f'The data folder "{folder}" cannot be read ({error.strerror}).') from None
    for name in names:
        found = [
            os.path.join(parent, file)
            for parent, folders, inside in os.walk(os.path.join(folder, name))
            if not os.path.basename(parent).startswith((".", "__MACOSX"))
            for file in inside
            if _IMAGE.search(file) and not file.startswith(".")
        ]
        if found:
            found.sort(key=lambda path: os.path.relpath(path, folder).replace(os.sep, "/"))
            files += [(path, len(classes), os.stat(path)) for path in found]
            classes.append(name)
    if len(classes) < minimum_classes:
        found = "holds no images in sub folders" if not classes else f'has images of one class only, "{classes[0]}"'
        raise RunFailure("data", f'The data folder "{folder}" {found}. {_EXPECTED}')
    return files, classes


def _decode(folder, files, classes, side, minimum_classes, log):
    import numpy
    import torch

    def one(path):
        try:
            return _pixels(path, side)
        except Exception as error:  # whatever a broken file does to the decoder
            return str(error) or type(error).__name__

    with ThreadPoolExecutor(max(1, min(16, os.cpu_count() or 1))) as pool:
        decoded = list(pool.map(one, [path for path, _, _ in files]))
    good = [(label, pixels) for (_, label, _), pixels in zip(files, decoded) if not isinstance(pixels, str)]
    skipped = [
        {"path": os.path.relpath(path, folder), "reason": reason}
        for (path, _, _), reason in zip(files, decoded)
        if isinstance(reason, str)
    ]
    for problem in skipped[:20]:
        log("warning", f"Left out: {problem['path']}: {problem['reason']}")
    if len({label for label, _ in good}) < minimum_classes:
        raise RunFailure("data", f'Too few images of "{folder}" can be decoded ({len(skipped)} cannot).')
    pixels = torch.from_numpy(numpy.stack([pixels for _, pixels in good])).permute(0, 3, 1, 2).contiguous()
    return Dataset(classes, [label for label, _ in good], pixels, skipped)


def _pixels(path, side):
    """The shorter side is scaled, the centre cut out."""
    import numpy
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        picture.draft("RGB", (side, side))
        fitted = ImageOps.fit(ImageOps.exif_transpose(picture).convert("RGB"), (side, side), Image.BILINEAR)
        return numpy.asarray(fitted)
