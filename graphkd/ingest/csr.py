"""A graph as a CSR matrix in memory-mapped files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.ingest.runs import Entries
from graphkd.sparse import SparseMatrix

HEAD = 128
"""Bytes before the values of an array in one dimension in numpy's format."""


@dataclass(frozen=True)
class MappedCSR:
    """A matrix ``[N, N]`` in files, of which only what is read comes into memory.

    Args:
        rowptr: ``[N + 1]`` int64: where each row starts.
        col: ``[e]`` int64, ascending within a row.
        weight: ``[e]`` float32, or ``None`` where every entry is 1.

    >>> rowptr, col = torch.tensor([0, 2, 2, 3]), torch.tensor([1, 2, 0])
    >>> MappedCSR(rowptr, col, None).degree().tolist()
    [2, 0, 1]
    """

    rowptr: Tensor
    col: Tensor
    weight: Tensor | None

    @classmethod
    def open(cls, folder: Path, name: str, weighted: bool) -> MappedCSR:
        """Maps ``NAME.rowptr.npy``, ``NAME.col.npy`` and, if ``weighted``, ``NAME.weight.npy``."""
        rowptr, col = (_mapped(folder / f"{name}.{part}.npy") for part in ("rowptr", "col"))
        return cls(rowptr, col, _mapped(folder / f"{name}.weight.npy") if weighted else None)

    def degree(self) -> Tensor:
        """Returns the number of entries of each row, ``[N]`` int64."""
        return self.rowptr.diff()

    def matrix(self) -> SparseMatrix:
        """Returns the matrix; ``rowptr`` and ``col`` stay in their files, and so do weights."""
        value = torch.ones(self.col.numel()) if self.weight is None else self.weight
        return SparseMatrix(self.rowptr, self.col, value, self.rowptr.numel() - 1)


def write_csr(folder: Path, name: str, entries: Iterator[Entries], num_nodes: int, weighted: bool) -> int:
    """Writes sorted, different edges as a CSR matrix.

    Args:
        folder: of the files.
        name: of the matrix.
        entries: of all rows, in order.
        num_nodes: ``N``.
        weighted: whether they have weights, which are rounded to single precision.

    Returns:
        The number of entries.
    """
    counts = np.zeros(num_nodes + 1, dtype=np.int64)
    files = {part: (folder / f"{name}.{part}.npy").open("wb") for part in ("col", *(["weight"] * weighted))}
    total = 0
    for file in files.values():
        file.seek(HEAD)
    for part in entries:
        row = part.keys // num_nodes
        (part.keys - row * num_nodes).tofile(files["col"])
        if part.weight is not None:
            part.weight.astype(np.float32).tofile(files["weight"])
        first, count = int(row[0]), np.bincount(row - row[0])
        counts[first + 1 : first + 1 + count.size] += count
        total += row.size
    for values, file in files.items():
        _finish(file, total, np.dtype(np.int64 if values == "col" else np.float32))
    np.save(folder / f"{name}.rowptr.npy", np.cumsum(counts, out=counts))
    return total


def write_edge_index(path: Path, csr: MappedCSR, step: int = 2**22) -> None:
    """Writes the entries as an array ``[2, e]`` int64: rows, then columns.

    Args:
        path: of the file.
        csr: the matrix.
        step: rows that are read at once.
    """
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, _header((2, csr.col.numel()), np.dtype(np.int64)))
        for start in range(0, csr.rowptr.numel() - 1, step):
            ends = csr.rowptr[start : start + step + 1]
            rows = torch.arange(start, start + ends.numel() - 1)
            torch.repeat_interleave(rows, ends.diff()).numpy().tofile(file)
        csr.col.numpy().tofile(file)


def mapped_edge_index(path: Path) -> Tensor:
    """Maps a file of ``write_edge_index``."""
    return _mapped(path)


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    return {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}


def _finish(file: IO[bytes], count: int, dtype: np.dtype[Any]) -> None:
    """Puts numpy's header before values that were written before their number was known."""
    with file:
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, _header((count,), dtype))
        assert file.tell() == HEAD


def _mapped(path: Path) -> Tensor:
    """Maps an array; what is written to it stays in this process's memory."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise GraphKDError(f"{path} cannot be read ({error}): delete its folder, it is made again") from None
    return torch.from_numpy(array)
