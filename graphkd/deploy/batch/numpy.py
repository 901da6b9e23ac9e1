"""Rows of numpy files: a memory-mapped array, or an archive that is read as a stream."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.deploy.batch.block import Block, by_number
from graphkd.deploy.batch.ids import ids_in_files
from graphkd.deploy.batch.stream import Member
from graphkd.errors import GraphKDError
from graphkd.io.sparse import check_compressed, check_starts


class TableSource:
    """A table that can be sliced: a memory-mapped array, or a matrix in memory.

    Args:
        table: ``[B, D]`` numbers.
        columns: names of its columns, or None.
        ids: ``[B]``, or None.
    """

    def __init__(self, table: Any, columns: list[str] | None, ids: list[Any] | None = None) -> None:
        self.table, self.columns, self.ids = table, columns, ids
        self.total: int | None = table.shape[0]

    def where(self, row: int) -> str:
        """Returns the row's index, see ``Source``."""
        return by_number(row)

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks, see ``Source``."""
        for start in range(rows * skip, max(self.table.shape[0], 1), rows):
            part = self.table[start : start + rows]
            ids = None if self.ids is None else self.ids[start : start + rows]
            yield Block(start, single(part), ids)


class ArchiveSource:
    """An array ``x``, or a CSR matrix of ``scipy.sparse.save_npz``, streamed from its archive.

    Args:
        path: of the file.
        columns: names of the student's features, or None.

    Raises:
        GraphKDError: the ids are invalid, or not one per row.
    """

    def __init__(self, path: Path, columns: list[str] | None) -> None:
        self.path, self.columns = path, columns
        with zipfile.ZipFile(path) as archive:
            self.shape = _shape(archive)
            self.sparse = "x.npy" not in archive.namelist()
            self.ids = None
            if "ids.npy" in archive.namelist():
                with archive.open("ids.npy") as file:
                    self.ids = ids_in_files(np.lib.format.read_array(file, allow_pickle=False), path)
        self.total: int | None = self.shape[0]
        if self.ids is not None and len(self.ids) != self.total:
            raise GraphKDError(f"{path} holds {len(self.ids)} ids for {self.total} rows: give one per row")

    def where(self, row: int) -> str:
        """Returns the row's index, see ``Source``."""
        return by_number(row)

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks, see ``Source``; data before the first block is skipped."""
        parts = _sparse_parts if self.sparse else _dense_parts
        with zipfile.ZipFile(self.path) as archive:
            start = rows * skip
            for x in parts(archive, self.shape, rows, skip):
                ids = None if self.ids is None else self.ids[start : start + rows]
                yield Block(start, single(x), ids)
                start += rows


def single(x: Any) -> Any:
    """Converts to single precision: an array in C order, or CSR."""
    with np.errstate(over="ignore"):  # numbers too large for float32 become infinite, and are refused later
        if hasattr(x, "tocsr"):
            return x.tocsr().astype(np.float32, copy=False)
        return np.ascontiguousarray(x, dtype=np.float32)


def _shape(archive: zipfile.ZipFile) -> tuple[int, int]:
    if "x.npy" in archive.namelist():
        rows, width = Member(archive, "x").shape
        return rows, width
    with archive.open("shape.npy") as file:
        rows, width = np.lib.format.read_array(file, allow_pickle=False).tolist()
    return rows, width


def _dense_parts(archive: zipfile.ZipFile, shape: tuple[int, int], rows: int, skip: int) -> Iterator[Any]:
    (count, width), member = shape, Member(archive, "x")
    member.skip(min(rows * skip, count) * width)
    for start in range(rows * skip, max(count, 1), rows):
        size = min(rows, count - start)
        yield member.read(size * width).reshape(size, width)


def _sparse_parts(archive: zipfile.ZipFile, shape: tuple[int, int], rows: int, skip: int) -> Iterator[Any]:
    import scipy.sparse

    with archive.open("indptr.npy") as file:
        starts = np.lib.format.read_array(file, allow_pickle=False)
    data, indices = Member(archive, "data"), Member(archive, "indices")
    if len(data.shape) != 1 or indices.shape != data.shape:
        raise ValueError("its values and indices are no flat arrays of one length")
    if fault := check_starts(starts, shape[0], data.shape[0]):
        raise ValueError(fault)
    for member in (data, indices):
        member.skip(int(starts[min(rows * skip, shape[0])]))
    for start in range(rows * skip, max(shape[0], 1), rows):
        offsets = starts[start : start + rows + 1]
        offsets = offsets - offsets[0]
        count, height = int(offsets[-1]), len(offsets) - 1
        values, columns = data.read(count), indices.read(count)
        if fault := check_compressed(offsets, columns, height, shape[1], count):
            raise ValueError(fault)
        yield scipy.sparse.csr_matrix((values, columns, offsets), shape=(height, shape[1]))
