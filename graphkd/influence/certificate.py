"""What is certain of InfGraND's influence, whatever time there was to compute it."""

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
    """``low_i <= I_i <= high_i`` for each node, from bounds of the least cosine ``s``.

    ``I_i(s) = (⟨x̂_i, m⟩ − M s) / max_l (⟨x̂_l, m⟩ − M s)`` falls as ``s`` rises, for every node, and the largest
    one is that of the same node for every ``s``: so the bounds of ``s`` give those of all weights.
    """

    low: Tensor
    """``[N]`` float32 in [0, 1]."""

    high: Tensor
    """``[N]`` float32 in [0, 1]."""

    minimum: tuple[float, float]
    """Bounds of the least cosine; both the same where it is exact."""

    share: float
    """Of all N × N pairs, how many were looked at: 1 where none could be ruled out, 0 where none had to be."""

    @property
    def exact(self) -> bool:
        """Whether the least cosine is known, and so every weight."""
        return self.minimum[0] == self.minimum[1]

    @property
    def width(self) -> float:
        """The largest ``high_i − low_i``."""
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
    """``graphkd.influence.infgrand`` with its certificate: an interval for every weight.

    Args:
        x: ``[N, D]`` dense or sparse, used as given.
        edge_index: ``[2, E]``, or the adjacency.
        hops: ``k``.
        variant: ``paper`` or ``reference``.
        self_loops: replaces the variant's number.
        columns: ``M``.
        max_seconds: as in ``infgrand``.
        max_memory_gb: as in ``infgrand``.

    Returns:
        ``low`` and ``high`` ``[N]``; equal where the search for the minimum came to its end.

    Raises:
        GraphKDError: what ``infgrand`` refuses.
    """
    means = Means(max_seconds, max_memory_gb)
    cosine = similarities(x, edge_index, hops, variant, self_loops, means)
    summed = x.shape[0] if columns is None else columns
    if not is_whole(summed) or not 0 <= summed <= x.shape[0]:
        raise GraphKDError(f"influence.columns is {columns}: it must be a whole number from 0 to {x.shape[0]}")
    sums = cosine.row_sums(summed)
    least = cosine.minimum(means)
    # Equal similarities leave rounding noise only: nothing to rank.
    high = scaled(sums - summed * least.low, noise=1e-12 * summed)
    if least.exact:
        return Interval(high, high, (least.low, least.high), least.share)
    score = sums - summed * least.high
    nothing = summed > 0 and not bool(score.max() > 1e-12 * summed)  # all that is certain then is I_i >= 0
    low = torch.zeros_like(high) if nothing else scaled(score, noise=1e-12 * summed)
    return Interval(_rounded(low, -1.0), _rounded(high, 2.0), (least.low, least.high), least.share)


def _rounded(weights: Tensor, towards: float) -> Tensor:
    """The next float32: the one before could have been rounded the other way."""
    return torch.nextafter(weights, torch.full_like(weights, towards)).clamp(0.0, 1.0)
