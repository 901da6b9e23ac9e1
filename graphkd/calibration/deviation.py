"""The standard deviation of a row of logits."""

from __future__ import annotations

from torch import Tensor

EPSILON = 1e-7
"""Added to a standard deviation, which is 0 where all logits of a row are equal."""


def deviation(logits: Tensor) -> Tensor:
    """Returns ``std_c z + 1e−7`` of every row, ``[…, B, 1]``, with ``C − 1`` in the denominator.

    Where all logits of a row are equal its gradient is 0.

    Args:
        logits: ``[…, B, C]``, of two classes or more.
    """
    variance = logits.var(dim=-1, keepdim=True)
    # Clamped first: where all logits of a row are equal the root would have an infinite gradient.
    return variance.clamp_min(EPSILON**2).sqrt() + EPSILON
