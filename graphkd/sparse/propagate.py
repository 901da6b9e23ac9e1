"""Mean-pooled multi-hop features, the student input of propagation methods."""

from __future__ import annotations

from torch import Tensor

from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.features import Features
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.spmm import spmm


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
