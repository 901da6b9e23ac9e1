"""InfGraND's influence as certified intervals, also under a time limit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphkd.checks import is_whole
from graphkd.errors import GraphKDError
from graphkd.influence._checks import scaled
from graphkd.influence._minimum import Means
from graphkd.influence._similarities import similarities
from graphkd.sparse import Adjacency, Features


@dataclass(frozen=True)
class Interval:
    """Bounds ``low_i <= I_i <= high_i`` for each node, from bounds of the least cosine ``s``.

    ``I_i(s) = (⟨x̂_i, m⟩ − M s) / max_l (⟨x̂_l, m⟩ − M s)`` decreases in ``s`` for every node, and the maximum is
    at the same node for every ``s``: the bounds of ``s`` thus give those of all weights.
    """

    low: Tensor
    """``[N]`` float32 in [0, 1]."""

    high: Tensor
    """``[N]`` float32 in [0, 1]."""

    minimum: tuple[float, float]
    """Bounds of the least cosine; equal if it is exact."""

    share: float
    """Fraction of the N × N pairs that was computed: 1 if none was excluded, 0 if none was needed."""

    @property
    def exact(self) -> bool:
        """Whether the least cosine, and hence every weight, is exact."""
        return self.minimum[0] == self.minimum[1]

    @property
    def width(self) -> float:
        """Largest ``high_i − low_i``."""
        return float((self.high - self.low).max()) if self.high.numel() else 0.0


def infgrand_interval(
    x: Tensor | Features,
    edge_index: Tensor | Adjacency,
    hops: int = 2,
    variant: str = "paper",
    self_loops: int | None = None,
    columns: int | None = None,
    max_seconds: float | None = None,
    max_memory_gb: float = 1.0,
) -> Interval:
    """Computes ``graphkd.influence.infgrand`` with an interval for every weight.

    Args:
        x: ``[N, D]`` dense or sparse, used as given.
        edge_index: ``[2, E]``, or the adjacency.
        hops: ``k``.
        variant: ``paper`` or ``reference``.
        self_loops: overrides the variant's number of self-loops.
        columns: ``M``.
        max_seconds: as in ``infgrand``.
        max_memory_gb: as in ``infgrand``.

    Returns:
        ``low`` and ``high`` ``[N]``; equal if the search for the minimum finished.

    Raises:
        GraphKDError: as in ``infgrand``.
    """
    means = Means(max_seconds, max_memory_gb)
    cosine = similarities(x, edge_index, hops, variant, self_loops, means)
    count = x.shape[0] if columns is None else columns
    if not is_whole(count) or not 0 <= count <= x.shape[0]:
        raise GraphKDError(f"influence.columns is {columns}: it must be a whole number from 0 to {x.shape[0]}")
    sums = cosine.row_sums(count)
    least = cosine.minimum(means)
    # Equal similarities differ by rounding errors only and have no ranking.
    high = scaled(sums - count * least.low, noise=1e-12 * count)
    if least.exact:
        return Interval(high, high, (least.low, least.high), least.share)
    score = sums - count * least.high
    vacuous = count > 0 and not bool(score.max() > 1e-12 * count)  # the only valid lower bound is then I_i >= 0
    low = torch.zeros_like(high) if vacuous else scaled(score, noise=1e-12 * count)
    return Interval(_rounded(low, -1.0), _rounded(high, 2.0), (least.low, least.high), least.share)


def _rounded(weights: Tensor, towards: float) -> Tensor:
    """Returns the next float32 in a direction, so that rounding to float32 cannot violate a bound."""
    return torch.nextafter(weights, torch.full_like(weights, towards)).clamp(0.0, 1.0)
