"""A sparse matrix in CSR form that keeps its own transpose."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class SparseMatrix:
    """An ``M × N`` matrix in compressed-sparse-row form.

    Unlike a bare ``torch.sparse_csr`` tensor it remembers its transpose, which every backward pass
    needs, and knows when it is its own transpose, so that a symmetric graph is stored once.

    Args:
        rowptr: ``[M + 1]`` int64, where each row starts in ``col``.
        col: ``[nnz]`` int64, column of each entry, ascending within a row.
        value: ``[nnz]`` floating point.
        num_cols: ``N``.
    """

    def __init__(self, rowptr: Tensor, col: Tensor, value: Tensor, num_cols: int) -> None:
        self.rowptr, self.col, self.value = rowptr, col, value
        self.shape = (rowptr.numel() - 1, num_cols)
        self._transpose: SparseMatrix | None = None
        self._order: Tensor | None = None
        self._torch: Tensor | None = None
        self._kept: dict[str, Any] = {}

    @classmethod
    def from_coo(cls, row: Tensor, col: Tensor, value: Tensor, shape: tuple[int, int]) -> SparseMatrix:
        """Builds the matrix from entries in any order; entries at the same place are added up.

        Args:
            row: ``[E]`` int64 in ``[0, M)``.
            col: ``[E]`` int64 in ``[0, N)``.
            value: ``[E]`` floating point.
            shape: ``(M, N)``.
        """
        key, inverse = torch.unique(row * shape[1] + col, return_inverse=True)
        if key.numel() < row.numel():
            value = value.new_zeros(key.numel()).index_add_(0, inverse, value)
        else:
            value = torch.empty_like(value).scatter_(0, inverse, value)
        row = torch.div(key, max(shape[1], 1), rounding_mode="floor")
        return cls(_rowptr(row, shape[0]), key - row * shape[1], value, shape[1])

    @classmethod
    def pattern(cls, row: Tensor, col: Tensor, shape: tuple[int, int]) -> SparseMatrix:
        """The 0/1 matrix of entries in any order; those at the same place count once.

        Without values to carry along nothing but the places is sorted: a tenth of the time of ``from_coo``, and a
        third of its memory.

        Args:
            row: ``[E]`` int64 in ``[0, M)``.
            col: ``[E]`` int64 in ``[0, N)``.
            shape: ``(M, N)``.
        """
        key = _distinct(row * shape[1] + col)
        row = torch.div(key, max(shape[1], 1), rounding_mode="floor")
        rowptr = _rowptr(row, shape[0])
        col = key.sub_(row.mul_(shape[1]))
        return cls(rowptr, col, torch.ones(col.numel(), device=col.device), shape[1])

    @classmethod
    def from_torch(cls, tensor: Tensor) -> SparseMatrix:
        """Wraps a two-dimensional ``torch.sparse_csr`` tensor; nothing is copied."""
        matrix = cls(tensor.crow_indices().long(), tensor.col_indices().long(), tensor.values(), tensor.shape[1])
        matrix._torch = tensor
        return matrix

    def merged(self) -> SparseMatrix:
        """Returns the same matrix with columns that ascend within a row, each once; itself where they do."""
        ascending = self.col.diff() > 0
        starts = self.rowptr[1:-1]
        ascending[starts[(starts > 0) & (starts < self.nnz)] - 1] = True
        if bool(ascending.all()):
            return self
        return SparseMatrix.from_coo(self.row, self.col, self.value, self.shape)

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.value.dtype

    @property
    def device(self) -> torch.device:
        """Where all three arrays are."""
        return self.value.device

    @property
    def nnz(self) -> int:
        """Stored entries."""
        return self.col.numel()

    @property
    def row(self) -> Tensor:
        """``[nnz]`` int64, row of each entry."""
        counts = self.rowptr.diff()
        return torch.repeat_interleave(torch.arange(self.shape[0], device=self.device), counts)

    def to(self, target: torch.device | torch.dtype | str) -> SparseMatrix:
        """The same matrix on another device, or with values of another dtype."""
        value = self.value.to(target)
        if value is self.value:
            return self
        return SparseMatrix(self.rowptr.to(value.device), self.col.to(value.device), value, self.shape[1])

    def t(self) -> SparseMatrix:
        """The transpose, made at the first call; the matrix itself where it is symmetric."""
        if self._transpose is None:
            order = self._order if self._order is not None else torch.argsort(self.col, stable=True)
            rowptr = _rowptr(self.col, self.shape[1])
            other = SparseMatrix(rowptr, self.row[order], self.value[order], self.shape[0])
            self._transpose = self if self.equals(other) else other
            other._transpose = self
        return self._transpose

    def transpose_order(self) -> Tensor:
        """``[nnz]`` int64: which entry of this matrix each entry of the transpose is; made once.

        Values that change from step to step follow it: ``value[order]`` are those of the transpose.
        """
        if self._order is None:
            self._order = torch.argsort(self.col, stable=True)
        return self._order

    def with_values(self, value: Tensor) -> SparseMatrix:
        """Other values ``[nnz]`` at the same places."""
        matrix = SparseMatrix(self.rowptr, self.col, value, self.shape[1])
        matrix._kept = self._kept
        return matrix

    def scale(self, rows: Tensor | None = None, cols: Tensor | None = None) -> SparseMatrix:
        """``diag(rows) · self · diag(cols)`` for ``rows [M]`` and ``cols [N]``."""
        factor = torch.ones_like(self.value)
        if rows is not None:
            factor = factor * torch.repeat_interleave(rows, self.rowptr.diff())
        if cols is not None:
            factor = factor * cols.index_select(0, self.col)
        # The product of the two scales comes first: it commutes, so a symmetric matrix stays so to the bit.
        return SparseMatrix(self.rowptr, self.col, self.value * factor, self.shape[1])

    def select(self, index: Tensor) -> SparseMatrix:
        """The rows ``index [B]``, in that order."""
        counts = self.rowptr.diff()[index]
        rowptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        start = torch.repeat_interleave(self.rowptr[index] - rowptr[:-1], counts)
        entry = torch.arange(start.numel(), device=self.device) + start
        return SparseMatrix(rowptr, self.col[entry], self.value[entry], self.shape[1])

    def rows(self, part: slice) -> SparseMatrix:
        """The rows ``a … b``, which share the memory of this matrix; the matrix itself where all are meant."""
        if part == slice(0, self.shape[0]):
            return self
        ends = self.rowptr[part.start : part.stop + 1]
        entries = slice(int(ends[0]), int(ends[-1]))
        return SparseMatrix(ends - ends[0], self.col[entries], self.value[entries], self.shape[1])

    def filter(self, kept: Tensor) -> SparseMatrix:
        """The same matrix with only the entries that ``kept [nnz]`` marks."""
        rowptr = _rowptr(self.row[kept], self.shape[0])
        return SparseMatrix(rowptr, self.col[kept], self.value[kept], self.shape[1])

    def renumber(self, place: Tensor, num_cols: int) -> SparseMatrix:
        """Column ``j`` becomes ``place[j]``, which must keep the order of the columns in use."""
        return SparseMatrix(self.rowptr, place[self.col], self.value, num_cols)

    def sum(self, dim: int) -> Tensor:
        """Row sums ``[M]`` (``dim=1``) or column sums ``[N]`` (``dim=0``)."""
        index, size = (self.row, self.shape[0]) if dim == 1 else (self.col, self.shape[1])
        return self.value.new_zeros(size).index_add_(0, index, self.value)

    def torch(self) -> Tensor:
        """The same matrix as a ``torch.sparse_csr`` tensor, made once."""
        if self._torch is None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
                self._torch = torch.sparse_csr_tensor(
                    self.rowptr, self.col, self.value, self.shape, check_invariants=False
                )
        return self._torch

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What a backend needs to know of where the entries are, made once."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]  # type: ignore[no-any-return]

    def to_dense(self) -> Tensor:
        """The ``[M, N]`` dense tensor; for tests and for small matrices."""
        dense = self.value.new_zeros(self.shape)
        return dense.index_put_((self.row, self.col), self.value, accumulate=True)

    def __repr__(self) -> str:
        return f"SparseMatrix({self.shape[0]} x {self.shape[1]}, {self.nnz} entries, {self.dtype})"

    def equals(self, other: SparseMatrix) -> bool:
        """Whether the other one has the same entries at the same places."""
        return (
            self.shape == other.shape
            and torch.equal(self.rowptr, other.rowptr)
            and torch.equal(self.col, other.col)
            and torch.equal(self.value, other.value)
        )


def row_pieces(load: Tensor, part: slice, most: int) -> Iterator[slice]:
    """The rows ``part`` in order, each piece with at most so many entries, but at least one row.

    Args:
        load: ``[M + 1]`` ascending, such as a ``rowptr``: entries before each row.
        part: from which row to which.
        most: entries of a piece.
    """
    start = part.start
    while start < part.stop:
        fits = int(torch.searchsorted(load, load[start] + most, right=True)) - 1
        stop = min(max(fits, start + 1), part.stop)
        yield slice(start, stop)
        start = stop


def _rowptr(row: Tensor, num_rows: int) -> Tensor:
    counts = torch.bincount(row, minlength=num_rows)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _distinct(key: Tensor) -> Tensor:
    """The numbers in ``key``, ascending, each once; ``key`` itself is sorted where it is on the CPU."""
    if not key.is_cpu:
        return torch.unique(key)  # type: ignore[no-any-return]
    key.numpy().sort()  # in place, and more than ten times as fast as torch's
    first = key.diff() != 0
    return key if bool(first.all()) else key[torch.cat([first.new_ones(1), first])]
