"""A map from any score to a logit, fitted to edges and pairs without one."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-3
"""Penalty of the slope, of standardised scores: it keeps the slope finite where scores separate the pairs."""

STEPS = 50
"""Newton steps at most; ten are usual."""


def logistic_map(positive: Tensor, negative: Tensor) -> tuple[float, float]:
    """Fits ``P(edge | s) = σ(a s + b)`` by Newton's method; ``a`` is kept above zero, so that no order changes.

    Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999

    Args:
        positive: ``[P]`` scores of edges.
        negative: ``[M]`` scores of pairs without one.

    Returns:
        ``a`` and ``b``.

    >>> a, b = logistic_map(torch.tensor([2.0, 2.0, 0.0]), torch.tensor([0.0, 0.0, 2.0]))
    >>> abs(a * 1.0 + b) < 1e-9, round(1 / (1 + 2.718281828 ** -(2 * a + b)), 2)  # two of three at 2 are edges
    (True, 0.67)
    """
    scores = torch.cat([positive, negative]).double()
    labels = torch.cat([torch.ones_like(positive), torch.zeros_like(negative)]).double()
    mean, deviation = float(scores.mean()), float(scores.std(correction=0)) or 1.0
    rows = torch.stack([(scores - mean) / deviation, torch.ones_like(scores)], dim=1)
    ridge = torch.tensor([RIDGE, 0.0], dtype=torch.float64)
    weights = torch.zeros(2, dtype=torch.float64)
    for _ in range(STEPS):
        chance = (rows @ weights).sigmoid()
        slope = rows.t() @ (chance - labels) / len(rows) + ridge * weights
        spread = (chance * (1 - chance)).unsqueeze(1)
        curve = rows.t() @ (spread * rows) / len(rows) + torch.diag(ridge + 1e-12)
        step = torch.linalg.solve(curve, slope)
        weights = weights - step
        if float(step.abs().max()) < 1e-9:
            break
    a = max(float(weights[0]), RIDGE) / deviation
    return a, float(weights[1]) - a * mean
