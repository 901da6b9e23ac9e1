"""Argument checks of influences, and the scaling of scores to weights."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.checks import is_count, is_whole
from graphkd.errors import GraphKDError
from graphkd.sparse import Adjacency, Features
from graphkd.sparse.adjacency import check_weights


def graph_of(x: Tensor | Features, edge_index: Tensor | Adjacency, signed: bool = False) -> Adjacency:
    """Returns the graph between the rows of ``x``.

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency.
        signed: whether negative edge weights are allowed.

    Raises:
        GraphKDError: a node index is out of range, ``x`` has another number of rows, or a weight is negative.
    """
    adj = edge_index if isinstance(edge_index, Adjacency) else Adjacency(edge_index, x.shape[0])
    if adj.num_nodes != x.shape[0]:
        raise GraphKDError(f"x has {x.shape[0]} rows, but the graph has {adj.num_nodes} nodes")
    if not signed:
        check_weights(adj.matrix.value, adj.matrix.nnz)
    return adj


def check_hops(hops: object, self_loops: object) -> None:
    """Raises unless both values are non-negative integers."""
    if not (is_count(hops) and is_count(self_loops)):
        raise GraphKDError(
            f"influence has hops {hops} and self_loops {self_loops}: both must be whole numbers, 0 or more"
        )


def check_seed(seed: object) -> None:
    """Raises unless the value is an integer from 0 to 2³² − 1."""
    if not (is_whole(seed) and 0 <= seed < 2**32):  # type: ignore[operator]
        raise GraphKDError(f"influence.seed is {seed!r}: it must be a whole number from 0 to {2**32 - 1}")


def scaled(score: Tensor, noise: float = 0.0) -> Tensor:
    """Computes ``score_i / max_l score_l``.

    Args:
        score: ``[N]``, non-negative up to rounding errors.
        noise: a maximum up to this is a rounding error, and scores count as equal.

    Returns:
        ``[N]`` float32 in [0, 1], the largest 1; ones if all scores are equal.
    """
    if score.numel() == 0 or not bool(score.max() > noise):
        return torch.ones(score.shape[0], device=score.device)
    return (score / score.max()).clamp(0.0, 1.0).float()
