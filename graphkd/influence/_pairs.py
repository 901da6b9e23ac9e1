"""Blockwise cosines of many pairs of rows: candidates of the minimum in float32, its value in float64."""

from __future__ import annotations

import threading
from typing import TypeAlias

import torch
from torch import Tensor

from graphkd.influence._minimum import Means

Where: TypeAlias = "slice | Tensor"
"""Rows of a table: a range with both ends, or indices ``[B]``."""

BLOCK = (512, 2048)
"""Largest block of cosines per worker: it fits into the cache and is large enough for an efficient product."""


class Pairs:
    """The minimum of ``cos(x_i, y_j)`` over the pairs computed so far.

    The error of a float32 product of unit rows is at most ``error``: ``(d + 8) 2^-24`` bounds d additions and
    products in any order (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1, with the
    Cauchy-Schwarz inequality) and the rounding of both rows. Pairs that may be below the current minimum within
    this error are recomputed in float64, so that ``least`` is exact.

    Args:
        x: ``[N, D]`` float32 or float64.
        x_scale: ``[N]`` float64, ``1 / ‖x_i‖``, or 0 for a zero row: its cosine with everything is 0.
        y: ``[M, D]`` of the same dtype.
        y_scale: ``[M]``.
        means: limits of time and memory.
        workers: number of threads that call ``search`` concurrently.
    """

    def __init__(
        self, x: Tensor, x_scale: Tensor, y: Tensor, y_scale: Tensor, means: Means, workers: int = 1
    ) -> None:
        self.x, self.x_scale, self.y, self.y_scale, self.means = x, x_scale, y, y_scale, means
        self.error = (x.shape[1] + 8) * 2.0**-24
        self.least, self.looked = float("inf"), 0
        self.block = _block(x.shape[1], means.bytes // max(1, workers))
        self._lock = threading.Lock()

    def search(self, rows: Where, columns: Where) -> bool:
        """Computes every pair of ``rows`` of x and ``columns`` of y.

        Returns:
            Whether it finished within the time limit.
        """
        for row_block in split(rows, self.block[0]):
            left = unit(self.x, self.x_scale, row_block)
            # Buffers reused by all blocks: allocating them anew would cost half as much as the product.
            most = min(self.block[1], _count(columns))
            right, product = left.new_empty(most, left.shape[1]), left.new_empty(left.shape[0] * most)
            for column_block in split(columns, self.block[1]):
                if self.means.left <= 0:
                    return False
                size = left.shape[0], _count(column_block)
                factor = unit(self.y, self.y_scale, column_block, right[: size[1]])
                out = torch.mm(left, factor.t(), out=product[: size[0] * size[1]].view(size))
                # Read once: another thread may lower it between the comparison and the refinement.
                limit = self.least + self.error
                if float(out.min()) < limit:
                    self._refine(out, row_block, column_block, limit)
                with self._lock:
                    self.looked += out.numel()
        return True

    def settle(self, rows: Tensor, columns: Tensor) -> None:
        """Computes the pairs of ``rows[k]`` and ``columns[k]`` in float64."""
        left, right = _unit64(take(self.x, rows)), _unit64(take(self.y, columns))
        self.least = min(self.least, float((left * right).sum(dim=1).min()))

    def _refine(self, out: Tensor, rows: Where, columns: Where, limit: float) -> None:
        """Recomputes the rows of a block that may contain the minimum in float64."""
        # Compared in float64, as above: rounded to float32 the bound may equal the least entry.
        near = (out.amin(dim=1).double() < limit).nonzero().squeeze(1)
        left = _unit64(take(self.x, rows)[near])
        right = _unit64(take(self.y, columns))
        index = int((left @ right.t()).argmin())
        # A sum of a fixed shape: a pair has bitwise equal results in blocks of any size.
        exact = float((left[index // right.shape[0]] * right[index % right.shape[0]]).sum())
        with self._lock:
            self.least = min(self.least, exact)


def take(table: Tensor, where: Where) -> Tensor:
    """Returns rows of a table."""
    return table[where] if isinstance(where, slice) else table.index_select(0, where)


def unit(table: Tensor, scale: Tensor, where: Where, out: Tensor | None = None) -> Tensor:
    """Returns rows normalised to length 1 (or 0) in float32: ``[B, D]``, written to ``out`` if it is given."""
    rows = take(table, where)
    out = rows.new_empty(rows.shape, dtype=torch.float32) if out is None else out
    return torch.mul(rows, take(scale, where).to(table.dtype).unsqueeze(1), out=out)


def _count(where: Where) -> int:
    return where.stop - where.start if isinstance(where, slice) else where.numel()


def split(where: Where, size: int) -> list[slice] | list[Tensor]:
    """Splits rows into parts of at most ``size``."""
    if isinstance(where, Tensor):
        return list(torch.split(where, size))
    return ranges(where.start, where.stop, size)


def ranges(start: int, stop: int, size: int) -> list[slice]:
    """Splits ``[start, stop)`` into slices of at most ``size``."""
    return [slice(first, min(first + size, stop)) for first in range(start, stop, size)]


def _unit64(rows: Tensor) -> Tensor:
    rows = rows.double()
    norm = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return torch.where(norm > 0, rows / norm, 0.0)


def _block(width: int, most: int) -> tuple[int, int]:
    """Returns the largest block whose product and rows, with float64 copies, need at most ``most`` bytes."""
    rows, columns = BLOCK
    while rows * columns > 1 and 12 * rows * columns + 24 * (rows + columns) * width > most:
        rows, columns = max(1, rows // 2), max(1, columns // 2)
    return rows, columns
