"""Ids of nodes that were inserted into a store after it was built."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphkd.deploy.store import disk
from graphkd.errors import GraphKDError

NEW_IDS = "new_ids.jsonl"
"""File of lines ``[number, id, CRC-32]``, whose numbers ascend; missing until the first such node."""

Id = str | int


class NewIds:
    """Ids of inserted nodes, read as the file grows.

    A line is on disk before its node is committed, and counts from then on: one whose number is not assigned yet
    is ignored by readers, and cut off by the next writer.

    Args:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / NEW_IDS
        self.numbers: dict[Id, int] = {}
        self._end = 0

    def read(self, next_id: int) -> dict[Id, int]:
        """Returns id → number of the inserted nodes below ``next_id``; of an id that was used again, the last one.

        Raises:
            GraphKDError: the file was changed.
        """
        if not self.file.exists() or self.file.stat().st_size == self._end:
            return self.numbers
        with self.file.open("rb") as file:
            file.seek(self._end)
            for number, value, size in _lines(self.file, file.read()):
                if number >= next_id:
                    break
                self.numbers[value] = number
                self._end += size
        return self.numbers


def append_id(folder: Path, number: int, value: Id) -> None:
    """Writes the id of the node that is inserted next."""
    file = folder / NEW_IDS
    is_new = not file.exists()
    content = json.dumps([number, value], ensure_ascii=False)
    line = json.dumps([number, value, zlib.crc32(content.encode())], ensure_ascii=False) + "\n"
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        disk.write(handle, line.encode(), os.fstat(handle).st_size)
        disk.sync(handle)
    finally:
        os.close(handle)
    if is_new:
        disk.sync_folder(folder)


def cut_ids(folder: Path, next_id: int) -> None:
    """Cuts off the line of a node that a killed writer did not insert.

    Raises:
        GraphKDError: the file was changed.
    """
    file = folder / NEW_IDS
    if not file.exists():
        return
    content = file.read_bytes()
    end = sum(size for number, _, size in _lines(file, content) if number < next_id)
    if end < len(content):
        handle = os.open(file, os.O_RDWR)
        try:
            disk.truncate(handle, end)
            disk.sync(handle)
        finally:
            os.close(handle)


def _lines(file: Path, content: bytes) -> Iterator[tuple[int, Id, int]]:
    """Yields number, id and size in bytes of the complete lines; the last one may be torn."""
    for line in content.split(b"\n")[:-1]:
        yield *_parsed(file, line), len(line) + 1


def _parsed(file: Path, line: bytes) -> tuple[int, Id]:
    try:
        entry: Any = json.loads(line)
        number, value, crc = entry
        if crc == zlib.crc32(json.dumps([number, value], ensure_ascii=False).encode()):
            return number, value
    except (ValueError, TypeError, RecursionError):
        pass
    raise GraphKDError(f"{file} was changed: build the store again")
