"""Streaming of an array from an ``.npz`` archive."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIECE = 2**20
"""Number of bytes skipped at a time."""


class Member:
    """An array in an archive that is read sequentially, never as a whole.

    Args:
        archive: must stay open while the array is read.
        name: of the array.

    Raises:
        ValueError: it contains Python objects.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.file = archive.open(f"{name}.npy")
        version = np.lib.format.read_magic(self.file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, self.fortran, self.dtype = read(self.file)
        if self.dtype.hasobject:
            raise ValueError(f"array {name} holds Python objects")

    def skip(self, count: int) -> None:
        """Skips ``count`` entries."""
        remaining = count * self.dtype.itemsize
        while remaining:
            remaining -= len(self._some(min(remaining, PIECE)))

    def read(self, count: int) -> NDArray[Any]:
        """Reads the next ``count`` entries."""
        content, size = bytearray(), count * self.dtype.itemsize
        while len(content) < size:
            content += self._some(size - len(content))
        return np.frombuffer(content, dtype=self.dtype)

    def _some(self, size: int) -> bytes:
        content = self.file.read(size)
        if not content:
            raise ValueError("the archive is truncated")
        return content
