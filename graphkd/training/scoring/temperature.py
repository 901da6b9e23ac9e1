"""One temperature for a trained student's logits, fitted to validation nodes and folded into its last layer."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn

from graphkd.students import MLP

BOUND = 100.0
"""Temperatures are searched from ``1 / BOUND`` to ``BOUND``."""

STEPS = 45
"""Halvings of that interval, after which rounding in float64 decides."""


def fit_temperature(logits: Tensor, y: Tensor) -> float:
    """Computes the temperature ``T`` that minimises the mean of ``−log softmax(z_v / T)_{y_v}``.

    With ``β = 1 / T`` this is convex, and its derivative ``mean_v (Σ_c p_vc z_vc − z_v,y_v)`` rises with ``β``:
    its root is found by bisection of ``log β`` in float64.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017

    Args:
        logits: ``[V, C]`` of the validation nodes.
        y: ``[V]`` their labels.

    Returns:
        ``T``; 1, with a warning, where no temperature from 1/100 to 100 is the best, as where every node has its
        largest logit at the label.

    >>> round(fit_temperature(torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0]]),
    ...                       torch.tensor([0, 0, 0, 1])), 3)
    1.82
    """
    z = logits.double()
    target = z.gather(1, y.unsqueeze(1)).mean()

    def slope(log_beta: float) -> float:
        p = torch.softmax(math.exp(log_beta) * z, dim=1)
        return float((p * z).sum(dim=1).mean() - target)

    low, high = -math.log(BOUND), math.log(BOUND)
    if not slope(low) < 0 < slope(high):
        warnings.warn(
            f"the validation nodes determine no temperature from {1 / BOUND} to {BOUND:.0f}, as where all of them "
            "are right: probabilities stay as they are; give more validation nodes",
            stacklevel=2,
        )
        return 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return math.exp(-(low + high) / 2)


def is_scalable(student: nn.Module) -> bool:
    """Returns whether a student's logits come out of one linear layer, which a temperature can divide."""
    return isinstance(student, MLP)


def scale_last_layer(student: nn.Module, temperature: float) -> None:
    """Divides weight and bias of a student's last layer by a temperature, and so its logits, in place.

    Args:
        student: a multilayer perceptron.
        temperature: above 0.
    """
    assert isinstance(student, MLP)
    last = student.layers[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        for part in (last.weight, last.bias):
            part.copy_(part.double() / temperature)
