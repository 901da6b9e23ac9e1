"""Pooled multi-hop features, the student input of propagation methods: as a table, or as factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.outofcore import table_store
from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.factored import Factored
from graphkd.sparse.features import Features, Inputs
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.spmm import spmm

POOLINGS = ("mean", "max", "min", "concat")
"""How the hops' tables become one; only the last one widens it, to ``(P + 1) D``."""

SPARSE_COST = 16
"""Dense multiply-adds that take as long as one through a sparse entry; see ``experiments/factored``."""

TABLE_BYTES = 2**29
"""Largest table that is made where factors would do."""


def check_pooling(pooling: str) -> None:
    """Refuses a pooling that there is not, with one line."""
    if not isinstance(pooling, str) or pooling not in POOLINGS:
        raise GraphKDError(f"pooling is '{pooling}': choose one of {', '.join(POOLINGS)}")


def blocks(hops: int, pooling: str) -> int:
    """How many tables stand side by side in the pooled one: ``P + 1`` for ``concat``, else 1."""
    return hops + 1 if pooling == "concat" else 1


def propagate(x: Features, adj: Adjacency, hops: int, self_loops: int = 1, pooling: str = "mean") -> Features:
    """``POOL({X, ÃX, …, Ã^P X})`` with ``Ã = D^-1/2 (A + s I) D^-1/2``.

    ``mean`` is ``1/(P+1) Σ_k Ã^k X``; ``max`` and ``min`` take the largest and the smallest of each entry;
    ``concat`` is ``[X ‖ ÃX ‖ … ‖ Ã^P X]``. In a table_store with a budget the table is made some rows at a time,
    with the same result, and the hops before the last one are files meanwhile.

    Args:
        x: ``[N, D]``; returned as it is for ``hops = 0``.
        adj: the raw graph.
        hops: ``P``.
        self_loops: ``s``.
        pooling: one of ``POOLINGS``.

    Returns:
        ``[N, D]``, for ``concat`` ``[N, (P + 1) D]``; dense for ``hops > 0``: neighbourhoods fill a table up.

    Raises:
        GraphKDError: an unknown pooling.

    Source: InfGraND, equation 5.
    """
    check_pooling(pooling)
    if hops == 0:
        return x
    operator, wide = adj.normalize("symmetric", self_loops, x.dtype), blocks(hops, pooling)

    powers = _Powers(x, operator)

    def pooled(rows: slice) -> Tensor:
        later = (powers.rows(k, rows, k == hops) for k in range(1, hops + 1))
        return _POOLS[pooling](powers.rows(0, rows), later, hops)

    shape = (x.shape[0], wide * x.shape[1])
    return table_store().by_rows("inputs", shape, x.dtype, pooled, (2 + wide) * powers.row_bytes, rounded=True)


def power(x: Tensor, operator: SparseMatrix, hops: int, name: str) -> Tensor:
    """``Ã^k X [N, D]``, in a table_store with a budget some rows at a time.

    Args:
        x: ``[N, D]``; returned as it is for ``hops = 0``.
        operator: ``Ã [N, N]``.
        hops: ``k``.
        name: of the table.
    """
    if hops == 0:
        return x

    powers = _Powers(x, operator)
    shape = (x.shape[0], x.shape[1])
    return table_store().by_rows(
        name, shape, x.dtype, lambda rows: powers.rows(hops, rows, True), 2 * powers.row_bytes
    )


class _Powers:
    """``X, ÃX, Ã²X, …``: tables, each made when it is first read, for as long as this is there.

    Rows of a product read whole rows of the table before it, wherever they lie. Some columns at a time would bound
    what of it is read, but use a fraction of every cache line, and write to every page of the file once per block
    (``experiments/scaling``).

    Args:
        x: ``[N, D]``.
        operator: ``Ã [N, N]``.
    """

    def __init__(self, x: Features, operator: SparseMatrix) -> None:
        self._x, self._operator = x, operator
        self._tables: list[Tensor] = []
        self.row_bytes = x.shape[1] * x.dtype.itemsize

    def rows(self, k: int, rows: slice, product: bool = False) -> Tensor:
        """``[b, D]`` of ``Ã^k X``: of its table, or, where it needs none, the product itself."""
        return spmm(self._operator.rows(rows), self._table(k - 1)) if product else self._table(k)[rows]

    def _table(self, k: int) -> Tensor:
        while len(self._tables) <= k:
            self._tables.append(self._made(len(self._tables)))
        return self._tables[k]

    def _made(self, k: int) -> Tensor:
        x = self._x
        if k == 0 and isinstance(x, Tensor) and x.is_contiguous():
            return x

        def make(rows: slice) -> Tensor:
            if k:
                return self.rows(k, rows, product=True)
            return x[rows].contiguous() if isinstance(x, Tensor) else x.rows(rows).to_dense()

        shape = (x.shape[0], x.shape[1])
        # A table in a file is on the CPU; another device gets all of it, as it has all of X.
        return table_store().by_rows(f"hop{k}", shape, x.dtype, make, 2 * self.row_bytes).to(x.device)


def mix(x: Features, adj: Adjacency, hops: int, self_loops: int = 1, pooling: str = "mean") -> Inputs:
    """``propagate``, or its factors where a layer on them costs less or the table would be too large.

    Factors are taken where ``X`` is sparse and ``SPARSE_COST · (b nnz(X) + P nnz(Ã)) < b N D``, or the table
    exceeds ``TABLE_BYTES``; ``b = P + 1`` for ``concat``, else 1. ``max`` and ``min`` are not linear: no factors.

    Args:
        x: ``[N, D]``.
        adj: the raw graph.
        hops: ``P``.
        self_loops: ``s``.
        pooling: one of ``POOLINGS``.

    Returns:
        ``[N, D]``, for ``concat`` ``[N, (P + 1) D]``.

    Raises:
        GraphKDError: an unknown pooling.
    """
    if hops == 0 or isinstance(x, Tensor) or pooling not in ("mean", "concat"):
        return propagate(x, adj, hops, self_loops, pooling)
    operator, wide = adj.normalize("symmetric", self_loops, x.dtype), blocks(hops, pooling)
    if _table_pays(x, wide * x.nnz + hops * operator.nnz, wide):
        return propagate(x, adj, hops, self_loops, pooling)
    return Factored(x, operator, hops, pooling)


def cheapest(x: Features) -> Features:
    """Sparse rows as a dense table where layers on it cost less: from a density of ``1 / SPARSE_COST``."""
    return x.to_dense() if isinstance(x, SparseMatrix) and _table_pays(x, x.nnz) else x


def _table_pays(x: SparseMatrix, entries: int, wide: int = 1) -> bool:
    cells = x.shape[0] * x.shape[1] * wide
    return SPARSE_COST * entries >= cells and cells * x.value.element_size() <= TABLE_BYTES


def _mean(table: Tensor, powers: Iterator[Tensor], hops: int) -> Tensor:
    total = table.clone()
    for power in powers:
        total += power
    return total.div_(hops + 1)


def _concat(table: Tensor, powers: Iterator[Tensor], hops: int) -> Tensor:
    width = table.shape[1]
    pooled = table.new_empty(table.shape[0], (hops + 1) * width)
    pooled[:, :width] = table
    for block, power in enumerate(powers, 1):
        pooled[:, block * width : (block + 1) * width] = power
    return pooled


def _extreme(table: Tensor, powers: Iterator[Tensor], larger: Callable[..., Tensor]) -> Tensor:
    pooled = table.clone()
    for power in powers:
        larger(pooled, power, out=pooled)
    return pooled


_POOLS: dict[str, Callable[[Tensor, Iterator[Tensor], int], Tensor]] = {
    "mean": _mean,
    "max": lambda table, powers, _: _extreme(table, powers, torch.maximum),
    "min": lambda table, powers, _: _extreme(table, powers, torch.minimum),
    "concat": _concat,
}
