"""How node weights are spread."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of a distribution, beside its ends."""


@dataclass(frozen=True)
class Distribution:
    """Node weights ``[n]`` in figures.

    Args:
        mean: of the weights.
        std: population standard deviation.
        low: the smallest.
        high: the largest.
        quantiles: at ``QUANTILES``, between neighbours by linear interpolation.
        zeros: share of exact zeros.
        ones: share of exact ones.
        distinct: number of different values.
    """

    mean: float
    std: float
    low: float
    high: float
    quantiles: tuple[float, ...]
    zeros: float
    ones: float
    distinct: int

    @classmethod
    def of(cls, weights: Tensor) -> Distribution:
        """Of weights ``[n]``, ``n ≥ 1``."""
        values = weights.detach().cpu().double().sort().values
        places = (values.numel() - 1) * torch.tensor(QUANTILES, dtype=torch.float64)
        below, above = values[places.floor().long()], values[places.ceil().long()]
        return cls(
            mean=float(values.mean()),
            std=float(values.std(correction=0)),
            low=float(values[0]),
            high=float(values[-1]),
            quantiles=tuple((below + (places - places.floor()) * (above - below)).tolist()),
            zeros=float((values == 0).double().mean()),
            ones=float((values == 1).double().mean()),
            distinct=torch.unique_consecutive(values).numel(),
        )


@dataclass(frozen=True)
class Variation:
    """How far the weights of a loss are from equal ones.

    Args:
        coefficient: of variation, ``std(w) / mean(w)`` with the population standard deviation.
        distance: total variation between ``w / Σ w`` and equal weights, ``½ Σ_i |w_i / Σ w − 1/n|``: the share of
            all weight that has moved.
        nodes: ``n``.
    """

    coefficient: float
    distance: float
    nodes: int

    @classmethod
    def of(cls, weights: Tensor) -> Variation:
        """Of weights ``[n]``, ``n ≥ 1``, none negative; where all are 0, the loss has no weights that vary: 0."""
        values = weights.detach().cpu().double()
        mean = values.mean()
        if float(mean) == 0:
            return cls(0.0, 0.0, values.numel())
        ratio = values / mean
        return cls(float(ratio.std(correction=0)), float((ratio - 1).abs().mean()) / 2, values.numel())
