"""Degree centrality as influence."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.influence._checks import graph_of, scaled
from graphkd.sparse import Adjacency, Features


def degree(x: Tensor | Features, edge_index: Tensor | Adjacency) -> Tensor:
    """Scores the out-degree of a node: ``I_i = d_i / max_l d_l`` with ``d_i = Σ_{j ≠ i} A_ji``.

    Self-loops do not count. Edge weights are read; without them ``d_i`` is the number of receivers of node ``i``.
    Features are not read. Costs O(E + N).

    Source: degree centrality; Freeman, Centrality in Social Networks: Conceptual Clarification, 1979

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if all degrees are equal.

    Raises:
        GraphKDError: a node index is out of range, or a weight is negative.

    >>> import torch
    >>> degree(torch.zeros(3, 1), torch.tensor([[0, 0, 1], [1, 2, 2]]))
    tensor([1.0000, 0.5000, 0.0000])
    """
    matrix = graph_of(x, edge_index).matrix
    sent = matrix.value.to(torch.float64) * (matrix.row != matrix.col)
    return scaled(sent.new_zeros(matrix.shape[1]).index_add_(0, matrix.col, sent))
