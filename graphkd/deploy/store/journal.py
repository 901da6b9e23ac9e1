"""Redo log: an update is written here, completely and flushed to disk, before any of it enters the arrays."""

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
from graphkd.errors import GraphKDError

RECORD = struct.Struct("<8sIIQqq")
"""Header of a record: magic, CRC-32 of the rest, number of patches, bytes, layout, resulting sequence number."""

OLD_RECORD = struct.Struct("<8sIIQq")
"""The same without the sequence number, as older versions wrote it."""

PATCH = struct.Struct("<QQQ")
"""Header of a patch: index of the file in ``FILES``, number of pieces, bytes of a piece."""

OLD_MAGIC, MAGIC = b"graphkd\x01", b"graphkd\x02"
HEADS = {OLD_MAGIC: OLD_RECORD, MAGIC: RECORD}


STEP = 8
"""Increment of the sequence number with every update."""


@dataclass(frozen=True)
class Patch:
    """Pieces of equal size to write to one file.

    Args:
        file: one of ``FILES``.
        offsets: ``[n]`` in bytes.
        content: ``[n, size]`` in bytes.
    """

    file: str
    offsets: Ids
    content: NDArray[np.uint8]

    def runs(self) -> list[tuple[int, memoryview]]:
        """Returns (offset, bytes) of the pieces, with adjacent pieces joined."""
        size = self.content.shape[1]
        breaks = (np.flatnonzero(np.diff(self.offsets) != size) + 1).tolist()
        bounds = zip([0, *breaks], [*breaks, self.offsets.size], strict=True)
        flat = self.content.reshape(-1).data  # slices of one dimension are cheaper than of two
        return [(int(self.offsets[a]), flat[a * size : b * size]) for a, b in bounds if b > a]


@dataclass(frozen=True)
class Record:
    """A complete update in the journal.

    Args:
        start: offset of its first byte in the file.
        end: offset after its last byte.
        layout: number of the layout that it was written for.
        sequence: sequence number once it is applied; None if an older version wrote it.
        content: of the file.
    """

    start: int
    end: int
    layout: int
    sequence: int | None
    content: bytes

    def patches(self) -> list[Patch]:
        """Returns the patches of the update."""
        return _decoded(memoryview(self.content)[self.start : self.end])

    def follows(self, before: Record) -> bool:
        """Returns whether no update is missing between the two."""
        return self.sequence is None or before.sequence is None or self.sequence == before.sequence + STEP


class Journal:
    """Records since the arrays were last flushed to disk.

    Args:
        path: of the file; created if missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self.size = os.fstat(self.handle).st_size

    def append(self, patches: list[Patch], layout: int, sequence: int) -> None:
        """Appends a record, and flushes it to disk."""
        body = b"".join(_encoded(patch) for patch in patches)
        rest = RECORD.pack(MAGIC, 0, len(patches), len(body), layout, sequence)[12:]
        head = MAGIC + struct.pack("<I", zlib.crc32(body, zlib.crc32(rest))) + rest
        disk.write(self.handle, head + body, self.size)
        disk.sync(self.handle)
        self.size += len(head) + len(body)

    def read(self, layout: int) -> tuple[list[Record], int]:
        """Returns all complete records in order, and the end of the last one: bytes after it are torn.

        Raises:
            GraphKDError: a complete record follows: the journal was damaged after it was written.
        """
        content = os.pread(self.handle, self.size, 0)
        records: list[Record] = []
        at = 0
        while (record := _record(content, at)) is not None:
            if record.layout != layout or (records and not record.follows(records[-1])):
                break
            records.append(record)
            at = record.end
        if _any_record(content, at):
            raise GraphKDError(f"{self.path} is damaged at byte {at}, with later updates behind: build it again")
        return records, at

    def cut(self, size: int = 0) -> None:
        """Truncates the journal to ``size`` bytes."""
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


def _record(content: bytes, at: int) -> Record | None:
    """Returns the record at ``at``, if it is complete."""
    head = HEADS.get(content[at : at + len(MAGIC)])
    if head is None or len(content) < at + head.size:
        return None
    _, crc, _, size, layout, *sequence = head.unpack_from(content, at)
    end = at + head.size + size
    if end > len(content) or zlib.crc32(memoryview(content)[at + 12 : end]) != crc:
        return None
    return Record(at, end, layout, sequence[0] if sequence else None, content)


def _any_record(content: bytes, at: int) -> bool:
    """Returns whether a complete record begins anywhere from ``at`` on."""
    start = MAGIC[:-1]
    while (at := content.find(start, at)) >= 0:
        if _record(content, at) is not None:
            return True
        at += 1
    return False


def _decoded(record: memoryview) -> list[Patch]:
    head = HEADS[bytes(record[: len(MAGIC)])]
    patches, at = [], head.size
    for _ in range(head.unpack_from(record)[2]):
        file, count, size = PATCH.unpack_from(record, at)
        at += PATCH.size
        offsets = np.frombuffer(record, "<i8", count, at)
        at += 8 * count
        content = np.frombuffer(record, np.uint8, count * size, at).reshape(count, size)
        at += count * size
        patches.append(Patch(FILES[file], offsets, content))
    return patches
