"""Exact influence under linear message passing."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.influence._checks import check_hops, graph_of, scaled
from graphkd.sparse import Adjacency, Features, spmm


def random_walk(
    x: Tensor | Features, edge_index: Tensor | Adjacency, hops: int = 2, self_loops: int = 1
) -> Tensor:
    """Scores the exact sensitivity of all nodes' propagated features to a node's features.

        I_i = r_i / max_l r_l,    X^(k) = Ã^k X,    r_i = Σ_j ‖∂x_j^(k) / ∂x_i‖₁ / D = Σ_j (Ã^k)_ji,

    the column sums of ``Ã^k`` for ``Ã = D^-1/2 (A + s I) D^-1/2``. This is InfGraND's definition, which its method
    replaces by a cosine; it does not depend on features. Edge weights are read.

    Costs one product with ``Ãᵀ`` per hop: O(k E) time, O(E + N) memory.

    Source: Eskandari et al., InfGraND, TMLR 2026 (its definition); Xu et al., Jumping Knowledge, ICML 2018

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency.
        hops: ``k``.
        self_loops: ``s``.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if all sums are equal.

    Raises:
        GraphKDError: a count is negative, a node index is out of range, or a weight is negative.

    >>> import torch
    >>> star = torch.tensor([[0, 0, 0, 1, 2, 3], [1, 2, 3, 0, 0, 0]])
    >>> random_walk(torch.zeros(4, 1), star, hops=1)
    tensor([1.0000, 0.6512, 0.6512, 0.6512])
    """
    check_hops(hops, self_loops)
    receivers = graph_of(x, edge_index).normalize("symmetric", self_loops, torch.float64).t()
    column = receivers.value.new_ones(receivers.shape[0], 1)
    for _ in range(hops):
        column = spmm(receivers, column)
    return scaled(column.squeeze(1))
