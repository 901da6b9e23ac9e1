"""A sparse matrix in CSR format that caches its transpose."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class SparseMatrix:
    """An ``M × N`` matrix in compressed-sparse-row form.

    Unlike a bare ``torch.sparse_csr`` tensor it caches its transpose, which every backward pass
    needs, and detects symmetry, so that a symmetric graph is stored once.

    Args:
        rowptr: ``[M + 1]`` int64, where each row starts in ``col``.
        col: ``[nnz]`` int64, column of each entry, ascending within a row.
        value: ``[nnz]`` floating point.
        num_cols: ``N``.

    >>> row, col = torch.tensor([0, 1]), torch.tensor([2, 0])
    >>> matrix = SparseMatrix.from_coo(row, col, torch.tensor([5.0, 7.0]), shape=(2, 3))
    >>> matrix.to_dense()
    tensor([[0., 0., 5.],
            [7., 0., 0.]])
    >>> matrix.t().shape, matrix.sum(dim=1), matrix.nnz
    ((3, 2), tensor([5., 7.]), 2)
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
        """Builds the matrix from entries in any order; duplicate entries are summed.

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
        """Builds the 0/1 matrix from entries in any order; duplicates count once.

        Without values only the coordinates are sorted: a tenth of the time of ``from_coo``, and a third of its
        memory.

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
        """Wraps a two-dimensional ``torch.sparse_csr`` tensor without a copy."""
        matrix = cls(tensor.crow_indices().long(), tensor.col_indices().long(), tensor.values(), tensor.shape[1])
        matrix._torch = tensor
        return matrix

    def merged(self) -> SparseMatrix:
        """Returns the matrix with strictly ascending columns in each row; itself if they are."""
        ascending = self.col.diff() > 0
        starts = self.rowptr[1:-1]
        ascending[starts[(starts > 0) & (starts < self.nnz)] - 1] = True
        if bool(ascending.all()):
            return self
        return SparseMatrix.from_coo(self.row, self.col, self.value, self.shape)

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the values."""
        return self.value.dtype

    @property
    def device(self) -> torch.device:
        """Device of all three arrays."""
        return self.value.device

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return self.col.numel()

    @property
    def row(self) -> Tensor:
        """Row of each entry, ``[nnz]`` int64."""
        counts = self.rowptr.diff()
        return torch.repeat_interleave(torch.arange(self.shape[0], device=self.device), counts)

    def to(self, target: torch.device | torch.dtype | str) -> SparseMatrix:
        """Returns the matrix on another device, or with values of another dtype."""
        value = self.value.to(target)
        if value is self.value:
            return self
        return SparseMatrix(self.rowptr.to(value.device), self.col.to(value.device), value, self.shape[1])

    def t(self) -> SparseMatrix:
        """Returns the transpose, computed at the first call and cached; the matrix itself if it is symmetric."""
        if self._transpose is None:
            order = self._order if self._order is not None else torch.argsort(self.col, stable=True)
            rowptr = _rowptr(self.col, self.shape[1])
            transpose = SparseMatrix(rowptr, self.row[order], self.value[order], self.shape[0])
            self._transpose = self if self.equals(transpose) else transpose
            transpose._transpose = self
        return self._transpose

    def with_transpose(self, transpose: SparseMatrix) -> SparseMatrix:
        """Returns the matrix itself, whose transpose is known already: itself if it is symmetric."""
        self._transpose, transpose._transpose = transpose, self
        return self

    def transpose_order(self) -> Tensor:
        """Returns ``[nnz]`` int64: the index of each entry of the transpose in this matrix; cached.

        For values that change from step to step: ``value[order]`` are those of the transpose.
        """
        if self._order is None:
            self._order = torch.argsort(self.col, stable=True)
        return self._order

    def with_values(self, value: Tensor) -> SparseMatrix:
        """Returns a matrix with other values ``[nnz]`` and the same sparsity pattern."""
        matrix = SparseMatrix(self.rowptr, self.col, value, self.shape[1])
        matrix._kept, matrix._order = self._kept, self._order
        return matrix

    def scale(self, rows: Tensor | None = None, cols: Tensor | None = None) -> SparseMatrix:
        """Computes ``diag(rows) · self · diag(cols)`` for ``rows [M]`` and ``cols [N]``."""
        factor = torch.ones_like(self.value)
        if rows is not None:
            factor = factor * torch.repeat_interleave(rows, self.rowptr.diff())
        if cols is not None:
            factor = factor * cols.index_select(0, self.col)
        # The two scales are multiplied first: this commutes, so a symmetric matrix stays bitwise symmetric.
        scaled = SparseMatrix(self.rowptr, self.col, self.value * factor, self.shape[1])
        scaled._order = self._order
        return scaled

    def select(self, index: Tensor) -> SparseMatrix:
        """Returns the rows ``index [B]``, in that order."""
        counts = self.rowptr.diff()[index]
        rowptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        start = torch.repeat_interleave(self.rowptr[index] - rowptr[:-1], counts)
        entry = torch.arange(start.numel(), device=self.device) + start
        return SparseMatrix(rowptr, self.col[entry], self.value[entry], self.shape[1])

    def rows(self, part: slice) -> SparseMatrix:
        """Returns a view of the rows ``a … b``; the matrix itself for all rows."""
        if part == slice(0, self.shape[0]):
            return self
        ends = self.rowptr[part.start : part.stop + 1]
        entries = slice(int(ends[0]), int(ends[-1]))
        return SparseMatrix(ends - ends[0], self.col[entries], self.value[entries], self.shape[1])

    def filter(self, kept: Tensor) -> SparseMatrix:
        """Returns the matrix with only the entries where ``kept [nnz]`` is true."""
        rowptr = _rowptr(self.row[kept], self.shape[0])
        return SparseMatrix(rowptr, self.col[kept], self.value[kept], self.shape[1])

    def renumber(self, place: Tensor, num_cols: int) -> SparseMatrix:
        """Returns the matrix with column ``j`` moved to ``place[j]``, which must preserve the columns' order."""
        return SparseMatrix(self.rowptr, place[self.col], self.value, num_cols)

    def sum(self, dim: int) -> Tensor:
        """Computes row sums ``[M]`` (``dim=1``) or column sums ``[N]`` (``dim=0``)."""
        index, size = (self.row, self.shape[0]) if dim == 1 else (self.col, self.shape[1])
        return self.value.new_zeros(size).index_add_(0, index, self.value)

    def torch(self) -> Tensor:
        """Returns the matrix as a ``torch.sparse_csr`` tensor, cached."""
        if self._torch is None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
                self._torch = torch.sparse_csr_tensor(
                    self.rowptr, self.col, self.value, self.shape, check_invariants=False
                )
        return self._torch

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Returns a backend's data on the sparsity pattern, computed by ``make`` once and cached by ``name``."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]  # type: ignore[no-any-return]

    def to_dense(self) -> Tensor:
        """Returns the ``[M, N]`` dense tensor; for tests and small matrices."""
        dense = self.value.new_zeros(self.shape)
        return dense.index_put_((self.row, self.col), self.value, accumulate=True)

    def __repr__(self) -> str:
        return f"SparseMatrix({self.shape[0]} x {self.shape[1]}, {self.nnz} entries, {self.dtype})"

    def equals(self, other: SparseMatrix) -> bool:
        """Returns whether the other matrix has the same shape, sparsity pattern and values."""
        return (
            self.shape == other.shape
            and torch.equal(self.rowptr, other.rowptr)
            and torch.equal(self.col, other.col)
            and torch.equal(self.value, other.value)
        )


def row_pieces(load: Tensor, part: slice, most: int) -> Iterator[slice]:
    """Yields the rows ``part`` in order, in slices of at most ``most`` entries, but at least one row.

    Args:
        load: ``[M + 1]`` ascending, such as a ``rowptr``: entries before each row.
        part: range of rows.
        most: entries per slice.

    >>> list(row_pieces(torch.tensor([0, 2, 4, 9, 10]), slice(0, 4), most=4))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
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
    """Returns the unique values of ``key``, ascending; on the CPU, ``key`` itself is sorted in place."""
    if not key.is_cpu:
        return torch.unique(key)  # type: ignore[no-any-return]
    key.numpy().sort()  # in place, and more than ten times as fast as torch's
    first = key.diff() != 0
    return key if bool(first.all()) else key[torch.cat([first.new_ones(1), first])]
