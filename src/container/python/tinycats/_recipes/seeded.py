"""The generator that the embedded engines' recipes draw from, so that a seed splits a data set alike everywhere.

sfc32 of PractRand; see src/container/data/random.ts.
"""

from __future__ import annotations

import struct

_MASK = 0xFFFFFFFF


class Random:
    def __init__(self, *labels):
        self._a, self._b, self._c, self._counter = _absorb((0x9E3779B9, 0x243F6A88, 0xB7E15162, 1), labels)
        for _ in range(12):
            self.uint32()

    def uint32(self):
        total = (self._a + self._b + self._counter) & _MASK
        self._counter = (self._counter + 1) & _MASK
        self._a = self._b ^ (self._b >> 9)
        self._b = (self._c + (self._c << 3)) & _MASK
        self._c = (((self._c << 21) & _MASK | self._c >> 11) + total) & _MASK
        return total

    def below(self, end):
        return int(self.uint32() * 2.0**-32 * end)

    def shuffle(self, items):
        """In place."""
        for index in range(len(items) - 1, 0, -1):
            other = self.below(index + 1)
            items[index], items[other] = items[other], items[index]
        return items


def _absorb(origin, labels):
    words = list(origin)

    def mix(value):
        for index in range(4):
            word = words[index] ^ (value & _MASK)
            words[index] = _finalise(word + 0x9E3779B9 * (index + 1) + words[(index + 3) & 3])

    for label in labels:
        if isinstance(label, str):
            units = struct.unpack(f"<{len(label.encode('utf-16-le')) // 2}H", label.encode("utf-16-le"))
            mix(len(units))
            for unit in units:
                mix(unit)
        else:
            low, high = struct.unpack("<II", struct.pack("<d", float(label)))
            mix(~low)
            mix(high)
    return words[0], words[1], words[2], 1


def _finalise(value):
    z = value & _MASK
    z = ((z ^ (z >> 16)) * 0x85EBCA6B) & _MASK
    z = ((z ^ (z >> 13)) * 0xC2B2AE35) & _MASK
    return z ^ (z >> 16)


def split_by_class(labels, fraction, seed):
    """(training, validation) indices: of every class of two or more images at least one on each side."""
    members = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    train, validation = [], []
    for label, indices in members.items():
        order = Random("split", seed, label).shuffle(list(indices))
        wanted = int(len(indices) * fraction + 0.5)
        count = 0 if fraction == 0 or len(indices) < 2 else min(max(wanted, 1), len(indices) - 1)
        validation += order[:count]
        train += order[count:]
    return sorted(train), sorted(validation)


def epoch_order(indices, seed, epoch):
    return Random("epoch", seed, epoch).shuffle(list(indices))


def torch_seed(*labels):
    """For `torch.manual_seed`: what is random in a step depends on its place alone, so that a run can go on from any."""
    random = Random(*labels)
    return random.uint32() << 31 | random.uint32() >> 1
