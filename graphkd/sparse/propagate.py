"""Pooled multi-hop features, the student input of propagation methods: as a dense table, or as factors."""

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
"""Pooling functions over the hops; only ``concat`` widens the result, to ``(P + 1) D``."""

SPARSE_COST = 16
"""Number of dense multiply-adds in the time of one sparse one; see ``experiments/factored``."""

TABLE_BYTES = 2**29
"""Size in bytes above which propagated features are stored as factors."""


def check_pooling(pooling: str) -> None:
    """Checks that a pooling is one of ``POOLINGS``.

    Raises:
        GraphKDError: it is not.

    >>> check_pooling("median")
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: pooling is 'median': choose one of mean, max, min, concat
    """
    if not isinstance(pooling, str) or pooling not in POOLINGS:
        raise GraphKDError(f"pooling is '{pooling}': choose one of {', '.join(POOLINGS)}")


def blocks(hops: int, pooling: str) -> int:
    """Returns the number of hops' tables side by side in the pooled one: ``P + 1`` for ``concat``, else 1.

    >>> blocks(2, "concat"), blocks(2, "mean")
    (3, 1)
    """
    return hops + 1 if pooling == "concat" else 1


def propagate(x: Features, adj: Adjacency, hops: int, self_loops: int = 1, pooling: str = "mean") -> Features:
    """Computes ``POOL({X, ÃX, …, Ã^P X})`` with ``Ã = D^-1/2 (A + s I) D^-1/2``.

    ``mean`` is ``1/(P+1) Σ_k Ã^k X``; ``max`` and ``min`` are elementwise over the hops;
    ``concat`` is ``[X ‖ ÃX ‖ … ‖ Ã^P X]``. In a table_store with a budget the table is computed in blocks of rows,
    with the same result, and the hops before the last one are temporary files.

    Args:
        x: ``[N, D]``; returned as it is for ``hops = 0``.
        adj: the raw graph.
        hops: ``P``.
        self_loops: ``s``.
        pooling: one of ``POOLINGS``.

    Returns:
        ``[N, D]``, for ``concat`` ``[N, (P + 1) D]``; dense for ``hops > 0``: neighbourhoods fill in zeros.

    Raises:
        GraphKDError: an unknown pooling.

    Source: InfGraND, equation 5.

    >>> adj = Adjacency(torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
    >>> propagate(torch.tensor([[1.0], [3.0]]), adj, hops=1, pooling="concat")
    tensor([[1., 2.],
            [3., 2.]])
    """
    check_pooling(pooling)
    if hops == 0:
        return x
    operator, wide = adj.normalize("symmetric", self_loops, x.dtype), blocks(hops, pooling)

    powers, store = _Powers(x, operator), table_store()

    def pooled(rows: slice) -> Tensor:
        tables = (powers.rows(k, rows, k == hops) for k in range(1, hops + 1))
        return pool(powers.rows(0, rows), tables, hops, pooling)

    make = pooled if store.columns is None else store.columns.pooled(x, operator, hops, pooling)
    shape = (x.shape[0], wide * x.shape[1])
    return store.by_rows("inputs", shape, x.dtype, make, (2 + wide) * powers.row_bytes, rounded=True)


def pool(table: Tensor, powers: Iterator[Tensor], hops: int, pooling: str) -> Tensor:
    """Computes the pooled table of ``X`` and its powers.

    Args:
        table: ``X [b, D]``.
        powers: ``ÃX``, …, ``Ã^P X``, in order.
        hops: ``P``.
        pooling: one of ``POOLINGS``.

    >>> pool(torch.tensor([[1.0]]), iter([torch.tensor([[3.0]])]), hops=1, pooling="max")
    tensor([[3.]])
    """
    return _POOLS[pooling](table, powers, hops)


def power(x: Tensor, operator: SparseMatrix, hops: int, name: str) -> Tensor:
    """Computes ``Ã^k X [N, D]``; in a table_store with a budget, in blocks of rows.

    Args:
        x: ``[N, D]``; returned as it is for ``hops = 0``.
        operator: ``Ã [N, N]``.
        hops: ``k``.
        name: of the table.

    >>> adj = Adjacency(torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
    >>> power(torch.tensor([[1.0], [4.0]]), adj.normalize("row"), hops=2, name="x").tolist()
    [[2.5], [2.5]]
    """
    if hops == 0:
        return x

    powers = _Powers(x, operator)
    shape = (x.shape[0], x.shape[1])
    return table_store().by_rows(
        name, shape, x.dtype, lambda rows: powers.rows(hops, rows, True), 2 * powers.row_bytes
    )


class _Powers:
    """The tables ``X, ÃX, Ã²X, …``, each computed at its first read and cached for the life of the object.

    Rows of a product read whole rows of the previous table, at random positions. Blocks of columns would bound
    the memory read, but use a fraction of every cache line, and write to every page of the file once per block
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
        """Returns ``[b, D]`` rows of ``Ã^k X``: from its table, or with ``product`` computed anew."""
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
        # A table in a file is on the CPU; another device receives a full copy, as it holds all of X.
        return table_store().by_rows(f"hop{k}", shape, x.dtype, make, 2 * self.row_bytes).to(x.device)


def mix(x: Features, adj: Adjacency, hops: int, self_loops: int = 1, pooling: str = "mean") -> Inputs:
    """Computes ``propagate``, or returns its factors where they are cheaper or the table would be too large.

    Factors are returned where ``X`` is sparse and ``SPARSE_COST · (b nnz(X) + P nnz(Ã)) < b N D``, or the table
    exceeds ``TABLE_BYTES``; ``b = P + 1`` for ``concat``, else 1. ``max`` and ``min`` are not linear.

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

    >>> adj = Adjacency(torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
    >>> mix(torch.tensor([[1.0], [3.0]]), adj, hops=1)
    tensor([[1.5000],
            [2.5000]])
    """
    if hops == 0 or isinstance(x, Tensor) or pooling not in ("mean", "concat"):
        return propagate(x, adj, hops, self_loops, pooling)
    operator, wide = adj.normalize("symmetric", self_loops, x.dtype), blocks(hops, pooling)
    if _table_pays(x, wide * x.nnz + hops * operator.nnz, wide):
        return propagate(x, adj, hops, self_loops, pooling)
    return Factored(x, operator, hops, pooling)


def cheapest(x: Features) -> Features:
    """Converts sparse rows to dense ones where layers then cost less: from a density of ``1 / SPARSE_COST``.

    >>> index = torch.arange(3)
    >>> cheapest(SparseMatrix.from_coo(index, index, torch.ones(3), (3, 3)))
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.]])
    """
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
