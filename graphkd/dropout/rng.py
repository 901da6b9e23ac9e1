"""Counter-based random bits: random access to any of them, in any order, on any device.

The generator is SplitMix64, whose k-th number, from 1, is a hash of ``start + k · 0x9E3779B97F4A7C15``. Four
entries of a tensor share a number: entry ``e`` has the sixteen bits from ``16 (e mod 4)`` up of number
``1 + ⌊e / 4⌋``, and is not dropped if they are at least ``2¹⁶ p``.

Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

BLOCK = 2**17
"""Entries per block on a CPU; a block fits into the cache between operations."""

GAMMA = 0x9E3779B97F4A7C15
"""Increment of SplitMix64: 2⁶⁴ divided by the golden ratio, odd."""

HASH = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, None))
"""Hash of SplitMix64: shifts, each with the factor that follows it."""


@dataclass(frozen=True)
class Rate:
    """A dropout probability in units of 2⁻¹⁶.

    Args:
        levels: number of the 2¹⁶ values of sixteen bits that drop an entry.
    """

    levels: int

    @classmethod
    def of(cls, p: float) -> Rate:
        """Rounds a probability to the nearest rate below 1."""
        return cls(min(round(p * 2**16), 2**16 - 1))

    @property
    def scale(self) -> float:
        """Factor of the entries that are not dropped."""
        return 2**16 / (2**16 - self.levels)


class RandomBits:
    """Random bits on a CPU, computed block by block.

    Args:
        start: the generator's state.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self._mixed, self._shifted = (np.empty(BLOCK // 4, np.uint64) for _ in range(2))

    def block(self, k: int, entries: int = BLOCK) -> Any:
        """Returns the first entries of block ``k``, uint16; the next call overwrites them."""
        count = -(-entries // 4)  # of the last block, or of a small tensor, no more numbers than are read
        mixed, shifted = self._mixed[:count], self._shifted[:count]
        first = (self.start + k * (BLOCK // 4) * GAMMA) % 2**64
        np.add(_steps()[:count], np.uint64(first), out=mixed)
        for shift, factor in HASH:
            np.right_shift(mixed, np.uint64(shift), out=shifted)
            np.bitwise_xor(mixed, shifted, out=mixed)
            if factor is not None:
                np.multiply(mixed, np.uint64(factor), out=mixed)
        return mixed.view(np.uint16)[:entries]


@functools.cache
def _steps() -> Any:
    """Computes ``k · 0x9E3779B97F4A7C15`` for ``k = 1 …``, modulo 2⁶⁴."""
    return np.arange(1, BLOCK // 4 + 1, dtype=np.uint64) * np.uint64(GAMMA)


def stays(starts: Tensor, size: int, levels: int) -> Tensor:
    """Computes the mask of entries that are not dropped, with torch operations on any device.

    Args:
        starts: ``[S]`` int64.
        size: entries per start, ``n``.
        levels: of the rate.

    Returns:
        ``[S, n]`` bool.
    """
    number = torch.arange(1, size // 4 + 2, device=starts.device)
    mixed = starts.unsqueeze(1) + number * _signed(GAMMA)
    for shift, factor in HASH:
        mixed = mixed ^ ((mixed >> shift) & (2 ** (64 - shift) - 1))
        mixed = mixed if factor is None else mixed * _signed(factor)
    bits = mixed.view(torch.int16).int() & 0xFFFF
    return bits[:, :size] >= levels


def _signed(number: int) -> int:
    """Returns the int64 with the same bits."""
    return number - 2**64 if number >= 2**63 else number
