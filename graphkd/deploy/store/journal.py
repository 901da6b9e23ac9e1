"""The redo log: what an update writes is here, whole and on the disk, before any of it is in the arrays."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store import disk
from graphkd.deploy.store.inputs import Ids
from graphkd.deploy.store.layout import FILES

RECORD = struct.Struct("<8sIIQq")
"""Before each record: magic, CRC-32 of the rest, number of patches, bytes, layout."""

PATCH = struct.Struct("<QQQ")
"""Before each patch: number of the file in ``FILES``, pieces, bytes of a piece."""

MAGIC = b"graphkd\x01"


@dataclass(frozen=True)
class Patch:
    """Pieces of one size for one file.

    Args:
        file: one of ``FILES``.
        offsets: ``[n]`` bytes.
        content: ``[n, size]`` bytes.
    """

    file: str
    offsets: Ids
    content: NDArray[np.uint8]

    def runs(self) -> list[tuple[int, memoryview]]:
        """(offset, bytes) of pieces that follow one another, joined."""
        size = self.content.shape[1]
        breaks = (np.flatnonzero(np.diff(self.offsets) != size) + 1).tolist()
        bounds = zip([0, *breaks], [*breaks, self.offsets.size], strict=True)
        flat = self.content.reshape(-1).data  # slices of it cost less than pieces of two dimensions
        return [(int(self.offsets[a]), flat[a * size : b * size]) for a, b in bounds if b > a]


class Journal:
    """Records since the arrays were last known to be on the disk.

    Args:
        path: of the file; made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self.size = os.fstat(self.handle).st_size

    def append(self, patches: list[Patch], layout: int) -> None:
        """Returns when the record is on the disk."""
        body = b"".join(_encoded(patch) for patch in patches)
        rest = RECORD.pack(MAGIC, 0, len(patches), len(body), layout)[12:]
        head = MAGIC + struct.pack("<I", zlib.crc32(body, zlib.crc32(rest))) + rest
        disk.write(self.handle, head + body, self.size)
        disk.sync(self.handle)
        self.size += len(head) + len(body)

    def read(self, layout: int) -> tuple[list[list[Patch]], int]:
        """All whole records in their order, and where the last of them ends: what is behind it is torn."""
        content = os.pread(self.handle, self.size, 0)
        records: list[list[Patch]] = []
        at = 0
        while (end := _end(content, at, layout)) is not None:
            records.append(_decoded(memoryview(content)[at:end]))
            at = end
        return records, at

    def cut(self, size: int = 0) -> None:
        """Forgets all after ``size`` bytes."""
        if self.size != size:
            disk.truncate(self.handle, size)
            disk.sync(self.handle)
            self.size = size

    def close(self) -> None:
        """Closes the file."""
        os.close(self.handle)


def _encoded(patch: Patch) -> bytes:
    head = PATCH.pack(FILES.index(patch.file), *patch.content.shape)
    return b"".join([head, patch.offsets.astype("<i8").tobytes(), patch.content.tobytes()])


def _end(content: bytes, at: int, layout: int) -> int | None:
    """Where the record at ``at`` ends, if it is whole."""
    if len(content) < at + RECORD.size:
        return None
    magic, crc, _, size, written_for = RECORD.unpack_from(content, at)
    end = at + RECORD.size + size
    whole = magic == MAGIC and end <= len(content) and zlib.crc32(memoryview(content)[at + 12 : end]) == crc
    return end if whole and written_for == layout else None


def _decoded(record: memoryview) -> list[Patch]:
    patches, at = [], RECORD.size
    for _ in range(RECORD.unpack_from(record)[2]):
        file, count, size = PATCH.unpack_from(record, at)
        at += PATCH.size
        offsets = np.frombuffer(record, "<i8", count, at)
        at += 8 * count
        content = np.frombuffer(record, np.uint8, count * size, at).reshape(count, size)
        at += count * size
        patches.append(Patch(FILES[file], offsets, content))
    return patches
