"""A table in a memory-mapped file, written block by block and resumable after a crash."""

from __future__ import annotations

import json
import mmap
import os
import warnings
import zlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphkd.atomic_io import write_json
from graphkd.errors import GraphKDError
from graphkd.system import readable

FORM = 2


class MappedTable:
    """A table ``[N, D]`` in a memory-mapped file, with a JSON list of finished blocks and their checksums.

    A block is finished once it is on that list, which is written after the block: after a crash, finished blocks
    are reused and all others recomputed. Several processes may write the same values to one table concurrently.

    Args:
        path: of the file; the list is at ``path`` + ``.json``.
        shape: ``(N, D)``.
        dtype: of the values.

    Raises:
        GraphKDError: the disk is full, or the path is not writable.
    """

    def __init__(self, path: Path, shape: tuple[int, int], dtype: torch.dtype) -> None:
        self._list = path.with_name(path.name + ".json")
        location = f"{path.parent.name}/{path.name}"  # contains stage, key and table
        self._card = {"form": FORM, "place": location, "shape": list(shape), "dtype": str(dtype)}
        size = shape[0] * shape[1] * dtype.itemsize
        finished = self._read_list()
        stale = finished is None or not path.is_file() or path.stat().st_size != size
        self._memory = _map(path, size)
        self._blocks: dict[str, str] = {} if stale or finished is None else finished
        self.tensor = torch.frombuffer(self._memory, dtype=dtype).view(shape)

    def holds(self, block: str, part: Tensor) -> bool:
        """Returns whether a block is finished and unchanged; ``part`` is its slice of ``tensor``."""
        if block not in self._blocks:
            return False
        intact = self._blocks[block] == _digest(part)
        if not intact:
            warnings.warn(f"{self._list.stem}: block {block} is damaged and made again", stacklevel=2)
        self.let_go()
        return intact

    def finish(self, block: str, part: Tensor) -> None:
        """Adds a written block to the list of finished blocks."""
        finished = self._read_list() or {}  # another process may have finished other blocks
        self._blocks = {**finished, **self._blocks, block: _digest(part)}
        write_json(self._list, {**self._card, "blocks": self._blocks})
        self.let_go()

    def let_go(self) -> None:
        """Releases the pages to the system's cache, so that they do not count as memory of this process."""
        if hasattr(self._memory, "madvise"):
            self._memory.madvise(mmap.MADV_DONTNEED)

    def _read_list(self) -> dict[str, str] | None:
        try:
            card: dict[str, Any] = json.loads(self._list.read_text())
            return dict(card["blocks"]) if {**card, "blocks": 0} == {**self._card, "blocks": 0} else None
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _map(path: Path, size: int) -> mmap.mmap:
    """Maps the file with all its space allocated, so that a full disk is detected now and not at a later write."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            os.ftruncate(handle, size)
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            return mmap.mmap(handle, size)
        finally:
            os.close(handle)
    except OSError as error:
        raise GraphKDError(
            f"{path.parent} has no room for a table of {readable(size)} ({error.strerror}): free some, or choose "
            "another cache_dir"
        ) from None


def _digest(part: Tensor) -> str:
    """Computes a CRC-32, against accidental damage only: several times as fast as a cryptographic hash."""
    return f"{zlib.crc32(part.contiguous().view(torch.uint8).numpy().data):08x}"
