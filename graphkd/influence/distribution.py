"""Summary statistics of node weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a ``Distribution``, in addition to its minimum and maximum."""


@dataclass(frozen=True)
class Distribution:
    """Summary statistics of node weights ``[n]``.

    Args:
        mean: of the weights.
        std: population standard deviation.
        low: minimum.
        high: maximum.
        quantiles: at ``QUANTILES``, with linear interpolation.
        zeros: fraction of exact zeros.
        ones: fraction of exact ones.
        distinct: number of distinct values.
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
        """Computes the statistics of weights ``[n]``, ``n ≥ 1``."""
        values = weights.detach().cpu().double().sort().values
        positions = (values.numel() - 1) * torch.tensor(QUANTILES, dtype=torch.float64)
        below, above = values[positions.floor().long()], values[positions.ceil().long()]
        return cls(
            mean=float(values.mean()),
            std=float(values.std(correction=0)),
            low=float(values[0]),
            high=float(values[-1]),
            quantiles=tuple((below + (positions - positions.floor()) * (above - below)).tolist()),
            zeros=float((values == 0).double().mean()),
            ones=float((values == 1).double().mean()),
            distinct=torch.unique_consecutive(values).numel(),
        )


@dataclass(frozen=True)
class Variation:
    """Deviation of the weights of a loss from equal weights.

    Args:
        coefficient: coefficient of variation ``std(w) / mean(w)``, with the population standard deviation.
        distance: total variation distance between ``w / Σ w`` and equal weights, ``½ Σ_i |w_i / Σ w − 1/n|``.
        nodes: number of nodes ``n``.
    """

    coefficient: float
    distance: float
    nodes: int

    @classmethod
    def of(cls, weights: Tensor) -> Variation:
        """Computes the deviation of non-negative weights ``[n]``, ``n ≥ 1``; 0 if all weights are 0."""
        values = weights.detach().cpu().double()
        mean = values.mean()
        if float(mean) == 0:
            return cls(0.0, 0.0, values.numel())
        ratio = values / mean
        return cls(float(ratio.std(correction=0)), float((ratio - 1).abs().mean()) / 2, values.numel())
