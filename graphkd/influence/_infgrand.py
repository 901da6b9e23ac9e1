"""InfGraND's influence in closed form."""

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
    """How similar a node's features are to what every node receives, on a scale to 1.

    Literally ``S_ij = cos(x_i, (Ã^k X)_j)``, min-max scaled over all pairs, summed over ``j`` and divided
    by the largest sum. With unit rows ``x̂, ŷ`` and ``m = Σ_j ŷ_j`` the scale cancels and

        I_i = (⟨x̂_i, m⟩ − M s) / max_l (⟨x̂_l, m⟩ − M s),    s = min_ij ⟨x̂_i, ŷ_j⟩,

    with ``M = N``, which costs one propagation and one minimum instead of an N × N matrix. A zero row has
    cosine 0 with everything. Edge weights are read. Dense features are propagated in their own precision, float32
    at least; sums, and the minimum itself, are float64's.

    The minimum is exact: a certified 0 where features are non-negative and one pair is orthogonal, else a search
    over all pairs, of which balls around the propagated rows rule most out where features are not spread evenly in
    all directions. Where ``max_seconds`` end it first, the minimum is known to be in an interval, and so is every
    weight: a weight is the middle of its interval then, and a warning says how wide they are
    (``graphkd.influence.certificate.infgrand_interval`` returns them).

    Source: Eskandari et al., InfGraND: An Influence-Guided GNN-to-MLP Knowledge Distillation, TMLR 2026

    Args:
        x: ``[N, D]`` dense or sparse, used as given.
        edge_index: ``[2, E]``, or the adjacency.
        hops: ``k``.
        variant: ``paper`` (Ã over A + I) or ``reference`` (A + 2I, as in the released code).
        self_loops: replaces the variant's number.
        columns: ``M``: only the first ``M`` nodes are summed over; the minimum is still that of all pairs. Where a
            run in ``variant=reference`` hides nodes, it is the number of observed ones, as in the released code.
        max_seconds: the search for the minimum ends so long after the call; nothing for as long as it takes.
            The propagation and the first few rows are never cut short.
        max_memory_gb: most memory of the search in units of 10^9 bytes: blocks of rows and of cosines. Beside it
            there are x, the graph in the precision of x, for dense x its propagated form ``[N, D]`` (and one more
            such table while it is made), and some 100 bytes per node.

    Returns:
        ``[N]`` float32 in [0, 1]; ones where all similarities are equal.

    Raises:
        GraphKDError: an unknown variant, a number outside its range, features that are not finite, or an edge
            that points nowhere.
    """
    found = infgrand_interval(x, edge_index, hops, variant, self_loops, columns, max_seconds, max_memory_gb)
    if found.exact:
        return found.high
    low, high = found.minimum
    warnings.warn(
        f"influence.max_seconds={max_seconds} ended the search with the least cosine in [{low:.4f}, {high:.4f}] "
        f"({100.0 * found.share:.2g} % of all pairs seen): every weight is within ±{found.width / 2.0:.2g}",
        stacklevel=2,
    )
    return (found.low + found.high) / 2.0
