"""Pooled multi-hop features, the student input of propagation methods: as a table, or as factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.factored import Factored
from graphkd.sparse.features import Features, Inputs
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.spmm import spmm
from graphkd.tables import workspace

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
    ``concat`` is ``[X ‖ ÃX ‖ … ‖ Ã^P X]``. Columns do not mix: in a workspace with a budget the table is made some
    columns at a time, with the same result.

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

    def pooled(columns: slice) -> Tensor:
        table = dense_columns(x, columns)
        return _POOLS[pooling](table, _powers(table, operator, hops), hops)

    unit = _column_bytes(x, 3 + wide)
    return workspace().by_columns("inputs", (x.shape[0], x.shape[1]), x.dtype, pooled, unit, wide, rounded=True)


def power(x: Tensor, operator: SparseMatrix, hops: int, name: str) -> Tensor:
    """``Ã^k X [N, D]``, in a workspace with a budget some columns at a time.

    Args:
        x: ``[N, D]``; returned as it is for ``hops = 0``.
        operator: ``Ã [N, N]``.
        hops: ``k``.
        name: of the table.
    """
    if hops == 0:
        return x

    def last(columns: slice) -> Tensor:
        table = dense_columns(x, columns)
        for _ in range(hops):
            table = spmm(operator, table)
        return table

    return workspace().by_columns(name, (x.shape[0], x.shape[1]), x.dtype, last, _column_bytes(x, 3))


def dense_columns(x: Features, columns: slice) -> Tensor:
    """``[N, b]`` of a table or a sparse matrix; the table itself where all are meant."""
    whole = columns == slice(0, x.shape[1])
    if isinstance(x, SparseMatrix):
        if whole:
            return x.to_dense()
        chosen = torch.arange(columns.start, columns.stop, device=x.device)
        return x.t().select(chosen).to_dense().t().contiguous()
    return x if whole else x[:, columns].contiguous()


def _column_bytes(x: Features, tables: int) -> int:
    """What one column of so many tables takes."""
    return tables * x.shape[0] * x.dtype.itemsize


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


def _powers(table: Tensor, operator: SparseMatrix, hops: int) -> Iterator[Tensor]:
    """``ÃX, Ã²X, …, Ã^P X``, one after the other."""
    for _ in range(hops):
        table = spmm(operator, table)
        yield table


def _mean(table: Tensor, powers: Iterator[Tensor], hops: int) -> Tensor:
    total = table.clone()
    for power in powers:
        total += power
    return total / (hops + 1)


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
