"""Mean-pooled multi-hop features, the student input of propagation methods: as a table, or as factors."""

from __future__ import annotations

from torch import Tensor

from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.factored import Factored
from graphkd.sparse.features import Features, Inputs
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.spmm import spmm

SPARSE_COST = 16
"""Dense multiply-adds that take as long as one through a sparse entry; see ``experiments/factored``."""

TABLE_BYTES = 2**29
"""Largest table that is made where factors would do."""


def propagate(x: Features, adj: Adjacency, hops: int, self_loops: int = 1) -> Features:
    """``1/(P+1) Σ_k Ã^k X`` for ``k = 0 … P``, with ``Ã = D^-1/2 (A + s I) D^-1/2``.

    Args:
        x: ``[N, D]``; returned as it is for ``hops = 0``.
        adj: the raw graph.
        hops: ``P``.
        self_loops: ``s``.

    Returns:
        ``[N, D]``, dense for ``hops > 0``: neighbourhoods fill a sparse table up.

    Source: InfGraND, equation 5 with mean pooling.
    """
    if hops == 0:
        return x
    total: Tensor = x.to_dense() if isinstance(x, SparseMatrix) else x.clone()
    operator, power = adj.normalize("symmetric", self_loops, total.dtype), total
    total = total.clone()
    for _ in range(hops):
        power = spmm(operator, power)
        total += power
    return total / (hops + 1)


def mix(x: Features, adj: Adjacency, hops: int, self_loops: int = 1) -> Inputs:
    """``propagate``, or its factors where a layer on them costs less or the table would be too large.

    Factors are taken where ``X`` is sparse and ``SPARSE_COST · (nnz(X) + P nnz(Ã)) < N D``, or the table
    exceeds ``TABLE_BYTES``.

    Args:
        x: ``[N, D]``.
        adj: the raw graph.
        hops: ``P``.
        self_loops: ``s``.
    """
    if hops == 0 or isinstance(x, Tensor):
        return propagate(x, adj, hops, self_loops)
    operator = adj.normalize("symmetric", self_loops, x.dtype)
    if _table_pays(x, x.nnz + hops * operator.nnz):
        return propagate(x, adj, hops, self_loops)
    return Factored(x, operator, hops)


def cheapest(x: Features) -> Features:
    """Sparse rows as a dense table where layers on it cost less: from a density of ``1 / SPARSE_COST``."""
    return x.to_dense() if isinstance(x, SparseMatrix) and _table_pays(x, x.nnz) else x


def _table_pays(x: SparseMatrix, entries: int) -> bool:
    cells = x.shape[0] * x.shape[1]
    return SPARSE_COST * entries >= cells and cells * x.value.element_size() <= TABLE_BYTES
