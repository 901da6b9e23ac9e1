"""InfGraND's influence on the labelled nodes, per class."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.influence._checks import scaled
from graphkd.influence._minimum import Means
from graphkd.influence._similarities import similarities
from graphkd.sparse import Adjacency, Features

MEMORY_GB = 1.0
"""Maximal working memory of the search for the minimum."""


def infgrand_per_class(
    x: Tensor | Features,
    edge_index: Tensor | Adjacency,
    hops: int = 2,
    variant: str = "paper",
    self_loops: int | None = None,
    *,
    labels: Tensor,
) -> Tensor:
    """Scores ``infgrand`` per class: similarity to the propagated features of one class's labelled nodes.

    With ``S`` and ``s = min_ij S_ij`` as in ``infgrand``, and ``T_c`` the labelled nodes of class ``c``,

        r_ic = Σ_{j ∈ T_c} (S_ij − s),    q_ic = r_ic / max_l r_lc,    I_i = q_i / max_l q_l,

    where ``q_i = q_{i, y_i}`` for a labelled node and ``max_c q_ic`` for all others. Every class thus has its own
    most influential node, whatever its size, and similarity to all classes at once is no advantage. A class
    without labelled nodes has none. Edge weights are read.

    Costs one propagation of C columns and ``infgrand``'s minimum; O(E + N C) memory in addition to its search.

    Source: no paper; a per-class form of Eskandari et al., InfGraND, TMLR 2026

    Args:
        x: ``[N, D]`` dense or sparse, used as given.
        edge_index: ``[2, E]``, or the adjacency.
        hops: ``k``.
        variant: ``paper`` (Ã over A + I) or ``reference`` (A + 2I, as in the released code).
        self_loops: overrides the variant's number of self-loops.
        labels: ``[N]`` classes of the labelled nodes, −1 for all others.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if no node is labelled or all similarities are equal.

    Raises:
        GraphKDError: labels have another shape or dtype, or as in ``infgrand``.

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> edges, labels = torch.tensor([[0], [0]]), torch.tensor([0, -1, 1])
    >>> infgrand_per_class(x, edges, hops=1, labels=labels)
    tensor([1.0000, 0.7071, 1.0000])
    """
    means = Means(None, MEMORY_GB)
    cosine = similarities(x, edge_index, hops, variant, self_loops, means)
    if labels.shape != cosine.x_scale.shape or labels.dtype.is_floating_point:
        raise GraphKDError(
            f"labels must be whole numbers, one per row of x and −1 where unknown, but are {labels.dtype} "
            f"{list(labels.shape)}: correct them"
        )
    labelled = (labels >= 0).nonzero().reshape(-1)
    if labelled.numel() == 0:
        return torch.ones(labels.shape[0], device=labels.device)
    members = cosine.x_scale.new_zeros(labels.shape[0], int(labels.max()) + 1)
    members[labelled, labels[labelled]] = 1.0
    counts = members.sum(dim=0)
    score = cosine.group_sums(members) - counts * cosine.minimum(means).high
    top = score.amax(dim=0)
    # Equal similarities differ by rounding errors only, as in infgrand.
    share = torch.where(top > 1e-12 * counts, score / top, 0.0)
    best = share.amax(dim=1)
    best[labelled] = share[labelled, labels[labelled]]
    return scaled(best)
