"""InfGraND's influence, in closed form."""

from __future__ import annotations

import warnings

from torch import Tensor

from graphkd.influence.certificate import infgrand_interval
from graphkd.sparse import Adjacency, Features


def infgrand(
    x: Tensor | Features,
    edge_index: Tensor | Adjacency,
    hops: int = 2,
    variant: str = "paper",
    self_loops: int | None = None,
    columns: int | None = None,
    max_seconds: float | None = None,
    max_memory_gb: float = 1.0,
) -> Tensor:
    """Scores the similarity of a node's features to the propagated features of all nodes, scaled to 1.

    The definition is ``S_ij = cos(x_i, (Ã^k X)_j)``, min-max scaled over all pairs, summed over ``j`` and divided
    by the largest sum. With unit rows ``x̂, ŷ`` and ``m = Σ_j ŷ_j`` the scale cancels and

        I_i = (⟨x̂_i, m⟩ − M s) / max_l (⟨x̂_l, m⟩ − M s),    s = min_ij ⟨x̂_i, ŷ_j⟩,

    with ``M = N``, which costs one propagation and one minimum instead of an N × N matrix. A zero row has
    cosine 0 with all rows. Edge weights are read. Dense features are propagated in their own precision, at least
    float32; sums and the minimum are in float64.

    The minimum is exact: a certified 0 if features are non-negative and a pair is orthogonal, else the result of a
    search over all pairs, most of which balls around the propagated rows exclude unless the directions of the
    features are uniform. If ``max_seconds`` ends the search, the minimum, and hence every weight, is bounded by an
    interval: a weight is then the middle of its interval, and a warning reports the largest width
    (``graphkd.influence.certificate.infgrand_interval`` returns the intervals).

    Source: Eskandari et al., InfGraND: An Influence-Guided GNN-to-MLP Knowledge Distillation, TMLR 2026

    Args:
        x: ``[N, D]`` dense or sparse, used as given.
        edge_index: ``[2, E]``, or the adjacency.
        hops: ``k``.
        variant: ``paper`` (Ã over A + I) or ``reference`` (A + 2I, as in the released code).
        self_loops: overrides the variant's number of self-loops.
        columns: ``M``: the sum is over the first ``M`` nodes only; the minimum is still over all pairs. If a run
            with ``variant=reference`` hides nodes, it is the number of observed ones, as in the released code.
        max_seconds: time limit of the search for the minimum, measured from the call; ``None`` for no limit.
            The propagation and the first few rows are always completed.
        max_memory_gb: maximal memory of the search in units of 10^9 bytes: blocks of rows and of cosines. Not
            included are x, the graph in the precision of x, for dense x its propagated form ``[N, D]`` (and one
            more such table during its computation), and about 100 bytes per node.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if all similarities are equal.

    Raises:
        GraphKDError: the variant is unknown, a number is out of range, features are not finite, or a node index
            is out of range.

    >>> import torch
    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> infgrand(x, torch.tensor([[0, 1], [1, 0]]), hops=1)
    tensor([1.0000, 1.0000, 0.5000])
    """
    interval = infgrand_interval(x, edge_index, hops, variant, self_loops, columns, max_seconds, max_memory_gb)
    if interval.exact:
        return interval.high
    low, high = interval.minimum
    warnings.warn(
        f"influence.max_seconds={max_seconds} ended the search with the least cosine in [{low:.4f}, {high:.4f}] "
        f"({100.0 * interval.share:.2g} % of all pairs seen): every weight is within ±{interval.width / 2.0:.2g}",
        stacklevel=2,
    )
    return (interval.low + interval.high) / 2.0
