"""PageRank as influence."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from graphkd.influence._checks import graph_of, scaled
from graphkd.ranges import check_shares
from graphkd.sparse import Adjacency, Features, SparseMatrix, spmm

TOLERANCE = 1e-12
"""Maximal distance ``Σ_i |p_i − p*_i|`` to the fixed point, up to float64's rounding errors."""


def pagerank(x: Tensor | Features, edge_index: Tensor | Adjacency, damping: float = 0.85) -> Tensor:
    """Scores the PageRank of a node: ``I_i = p_i / max_l p_l``, with ``p`` the solution of this equation.

        p_i = (1 − d) / N + d (Σ_j A_ij p_j / a_j + Σ_{j: a_j = 0} p_j / N),    a_j = Σ_i A_ij.

    The random surfer follows edges from sender to receiver, and jumps to a random node from a node without
    outgoing edges. Edge weights are read, listed self-loops are followed, features are not read. Each step is a
    product of E entries, and at most ``log 1e-12 / log d`` steps (170 for 0.85) are needed, since each shrinks the
    distance by ``d``; O(E + N) memory.

    Source: Brin and Page, The Anatomy of a Large-Scale Hypertextual Web Search Engine, 1998

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency.
        damping: ``d`` in [0, 1).

    Returns:
        ``[N]`` float32 in [0, 1]; ones if all ranks are equal.

    Raises:
        GraphKDError: the damping or a node index is out of range, or a weight is negative.

    >>> star = torch.tensor([[1, 2, 3], [0, 0, 0]])
    >>> pagerank(torch.zeros(4, 1), star, damping=0.5)
    tensor([1.0000, 0.4000, 0.4000, 0.4000])
    """
    check_shares("influence", damping=damping)
    matrix = graph_of(x, edge_index).matrix.to(torch.float64)
    sent = matrix.sum(dim=0)
    follow = matrix.scale(cols=torch.where(sent > 0, 1.0 / sent, 0.0))
    return scaled(_fixed_point(follow, sent == 0, damping))


def _fixed_point(follow: SparseMatrix, silent: Tensor, damping: float) -> Tensor:
    """Computes ``p [N]`` by power iteration from the uniform distribution."""
    num_nodes = follow.shape[0]
    rank = follow.value.new_full((num_nodes,), 1.0 / max(num_nodes, 1))
    for _ in range(_steps(damping)):
        jump = (damping * rank[silent].sum() + 1.0 - damping) / num_nodes
        last, rank = rank, damping * spmm(follow, rank.unsqueeze(1)).squeeze(1) + jump
        if damping * float((rank - last).abs().sum()) < (1.0 - damping) * TOLERANCE:
            break
    return rank


def _steps(damping: float) -> int:
    """Computes ``k`` with ``2 d^k ≤ TOLERANCE``: the distance of two distributions is at most 2."""
    return 1 if damping == 0 else math.ceil(math.log(TOLERANCE / 2) / math.log(damping))
