"""A table in a file, filled block by block, that knows after a crash which blocks are whole."""

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
    """Numbers ``[N, D]`` in the rows of a file, and beside it a list of finished blocks with their checksums.

    A block is whole once it is on that list, which is written after the block: a process that is killed leaves
    blocks that are found again and blocks that are made again. Several processes may fill one table with the same
    numbers at once.

    Args:
        path: of the file; ``.json`` is added for the list.
        shape: ``(N, D)``.
        dtype: of the numbers.

    Raises:
        GraphKDError: there is no room for it, or the place cannot be written to.
    """

    def __init__(self, path: Path, shape: tuple[int, int], dtype: torch.dtype) -> None:
        self._list = path.with_name(path.name + ".json")
        place = f"{path.parent.name}/{path.name}"  # which names stage, key and table
        self._card = {"form": FORM, "place": place, "shape": list(shape), "dtype": str(dtype)}
        size = shape[0] * shape[1] * dtype.itemsize
        known = self._read_list()
        fresh = known is None or not path.is_file() or path.stat().st_size != size
        self._memory = _map(path, size)
        self._blocks: dict[str, str] = {} if fresh or known is None else known
        self.tensor = torch.frombuffer(self._memory, dtype=dtype).view(shape)

    def holds(self, block: str, part: Tensor) -> bool:
        """Whether a block is finished and still what it was; ``part`` are its numbers in ``tensor``."""
        if block not in self._blocks:
            return False
        whole = self._blocks[block] == _digest(part)
        if not whole:
            warnings.warn(f"{self._list.stem}: block {block} is damaged and made again", stacklevel=2)
        self.let_go()
        return whole

    def finish(self, block: str, part: Tensor) -> None:
        """Puts a block that was written on the list."""
        known = self._read_list() or {}  # another process may have finished others
        self._blocks = {**known, **self._blocks, block: _digest(part)}
        write_json(self._list, {**self._card, "blocks": self._blocks})
        self.let_go()

    def let_go(self) -> None:
        """Gives the pages back, which the system reads or keeps as it likes: they no longer count as ours."""
        if hasattr(self._memory, "madvise"):
            self._memory.madvise(mmap.MADV_DONTNEED)

    def _read_list(self) -> dict[str, str] | None:
        try:
            found: dict[str, Any] = json.loads(self._list.read_text())
            return dict(found["blocks"]) if {**found, "blocks": 0} == {**self._card, "blocks": 0} else None
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _map(path: Path, size: int) -> mmap.mmap:
    """The file, made as large as it has to be: a disk that is too small is noticed now, not at some write."""
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
    """Against accidents, not against users: several times as fast as a cryptographic one, which would be felt."""
    return f"{zlib.crc32(part.contiguous().view(torch.uint8).numpy().data):08x}"
