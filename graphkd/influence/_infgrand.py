"""InfGraND's influence in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.influence._checks import check_hops, graph_of, scaled
from graphkd.influence._cosine import PropagatedCosine
from graphkd.numbers import is_whole
from graphkd.sparse import Adjacency, Features, as_features, check_features

SELF_LOOPS = {"paper": 1, "reference": 2}
"""Self-loops in Ã: the paper adds I once; the released code adds it to a graph that has it already."""


def infgrand(
    x: Tensor | Features,
    edge_index: Tensor | Adjacency,
    hops: int = 2,
    variant: str = "paper",
    self_loops: int | None = None,
    columns: int | None = None,
) -> Tensor:
    """How similar a node's features are to what every node receives, on a scale to 1.

    Literally ``S_ij = cos(x_i, (Ã^k X)_j)``, min-max scaled over all pairs, summed over ``j`` and divided
    by the largest sum. With unit rows ``x̂, ŷ`` and ``m = Σ_j ŷ_j`` the scale cancels and

        I_i = (⟨x̂_i, m⟩ − M s) / max_l (⟨x̂_l, m⟩ − M s),    s = min_ij ⟨x̂_i, ŷ_j⟩,

    with ``M = N``, which costs one propagation and one minimum instead of an N × N matrix. A zero row has
    cosine 0 with everything. The minimum is exact: a certified 0 where features are non-negative and one pair
    is orthogonal, else a blocked search over all pairs in bounded memory. Edge weights are read.

    Source: Eskandari et al., InfGraND: An Influence-Guided GNN-to-MLP Knowledge Distillation, TMLR 2026

    Args:
        x: ``[N, D]`` dense or sparse, used as given.
        edge_index: ``[2, E]``, or the adjacency.
        hops: ``k``.
        variant: ``paper`` (Ã over A + I) or ``reference`` (A + 2I, as in the released code).
        self_loops: replaces the variant's number.
        columns: ``M``: only the first ``M`` nodes are summed over; the minimum is still that of all pairs. Where a
            run in ``variant=reference`` hides nodes, it is the number of observed ones, as in the released code.

    Returns:
        ``[N]`` float32 in [0, 1]; ones where all similarities are equal.

    Raises:
        GraphKDError: an unknown variant, a number outside its range, features that are not finite, or an edge
            that points nowhere.
    """
    cosine = similarities(x, edge_index, hops, variant, self_loops)
    summed = x.shape[0] if columns is None else columns
    if not is_whole(summed) or not 0 <= summed <= x.shape[0]:
        raise GraphKDError(f"influence.columns is {columns}: it must be a whole number from 0 to {x.shape[0]}")
    score = cosine.row_sums(summed) - summed * cosine.minimum()
    # Equal similarities leave rounding noise only: nothing to rank.
    return scaled(score, noise=1e-12 * summed)


def similarities(
    x: Tensor | Features, edge_index: Tensor | Adjacency, hops: int, variant: str, self_loops: int | None
) -> PropagatedCosine:
    """``S_ij = cos(x_i, (Ã^k X)_j)``, checked and not yet computed; arguments and errors are ``infgrand``'s."""
    if variant not in SELF_LOOPS:
        raise GraphKDError(f"influence variant '{variant}' is unknown: choose paper or reference")
    loops = SELF_LOOPS[variant] if self_loops is None else self_loops
    check_hops(hops, loops)
    features = check_features(as_features(x))
    adj = graph_of(features, edge_index, signed=True)
    return PropagatedCosine(features, adj.normalize("symmetric", loops, torch.float64), hops)
