"""An array in an ``.npz`` archive, read from front to back."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIECE = 2**20
"""Bytes that are passed over at a time."""


class Member:
    """An array that is never whole in memory.

    Args:
        archive: open for as long as this is read.
        name: of the array.

    Raises:
        ValueError: it holds Python objects.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.file = archive.open(f"{name}.npy")
        version = np.lib.format.read_magic(self.file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, self.fortran, self.dtype = read(self.file)
        if self.dtype.hasobject:
            raise ValueError(f"array {name} holds Python objects")

    def skip(self, count: int) -> None:
        """Passes over ``count`` numbers."""
        left = count * self.dtype.itemsize
        while left:
            left -= len(self._some(min(left, PIECE)))

    def read(self, count: int) -> NDArray[Any]:
        """The next ``count`` numbers."""
        content, size = bytearray(), count * self.dtype.itemsize
        while len(content) < size:
            content += self._some(size - len(content))
        return np.frombuffer(content, dtype=self.dtype)

    def _some(self, size: int) -> bytes:
        found = self.file.read(size)
        if not found:
            raise ValueError("the archive is truncated")
        return found
