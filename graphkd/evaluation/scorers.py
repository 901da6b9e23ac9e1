"""Metrics for fixed labels, computed on the device in every epoch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.errors import GraphKDError


class Accuracy:
    """``accuracy`` for fixed labels, computed without synchronising with the device.

    Args:
        y: ``[B]``, or ``[S, B]`` for several models.
    """

    def __init__(self, y: Tensor) -> None:
        self.y = y

    def __call__(self, logits: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``logits [B, C]``; ``[S]`` for ``[S, B, C]``."""
        return (logits.argmax(dim=-1) == self.y).double().mean(dim=-1)


class BalancedAccuracy:
    """``balanced_accuracy`` for fixed labels, computed without synchronising with the device.

    Args:
        y: ``[B]``, or ``[S, B]`` for several models.
    """

    def __init__(self, y: Tensor) -> None:
        self.y, self.support = y, _counted(y, int(y.max()) + 1, torch.ones_like(y, dtype=torch.float64))

    def __call__(self, logits: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``logits [B, C]``; ``[S]`` for ``[S, B, C]``."""
        hits = _counted(self.y, self.support.shape[-1], (logits.argmax(dim=-1) == self.y).double())
        return (hits / self.support.clamp_min(1)).sum(dim=-1) / (self.support > 0).sum(dim=-1)


class MacroF1:
    """``macro_f1`` for fixed labels, computed without synchronising with the device.

    Args:
        y: ``[B]``, or ``[S, B]`` for several models.
    """

    def __init__(self, y: Tensor) -> None:
        self.y, self.ones = y, torch.ones_like(y, dtype=torch.float64)

    def __call__(self, logits: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``logits [B, C]``; ``[S]`` for ``[S, B, C]``."""
        predicted, classes = logits.argmax(dim=-1), logits.shape[-1]
        hits = _counted(self.y, classes, (predicted == self.y).double())
        rows = _counted(self.y, classes, self.ones) + _counted(predicted, classes, self.ones)
        return (2 * hits / rows.clamp_min(1)).sum(dim=-1) / (rows > 0).sum(dim=-1)


def _counted(index: Tensor, classes: int, weights: Tensor) -> Tensor:
    """Returns sums of ``weights [..., B]`` by class ``[..., C]``; of 0 and 1, exactly and in any order."""
    sums = weights.new_zeros(*index.shape[:-1], classes)
    return sums.scatter_add_(-1, index, weights)


class RocAuc:
    """``roc_auc`` for fixed labels, computed without synchronising with the device.

    Rows of class 1 are ranked among the sorted rows of class 0 by binary search: B log B instead of all pairs.

    Args:
        y: ``[B]``, 0 or 1.

    Raises:
        GraphKDError: only one class occurs.
    """

    def __init__(self, y: Tensor) -> None:
        self.low, self.high = ((y == label).nonzero().squeeze(1) for label in (0, 1))
        if not (self.low.numel() and self.high.numel()):
            raise GraphKDError(
                "roc_auc needs nodes of both classes to score, but only one occurs: use another split"
            )

    def __call__(self, logits: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``logits [B, 2]``."""
        if logits.dim() != 2 or logits.shape[1] != 2:
            raise GraphKDError(f"roc_auc needs two classes, but logits are {list(logits.shape)}: choose accuracy")
        margin = logits[:, 1].double() - logits[:, 0].double()
        return roc_area(margin[self.low], margin[self.high])


def roc_area(low: Tensor, high: Tensor) -> Tensor:
    """Computes ``P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2``, a float64 scalar on the device, without synchronising with it.

    Args:
        low: ``[M]`` scores of negatives.
        high: ``[P]`` scores of positives, which are ranked among the sorted negatives by binary search.

    >>> float(roc_area(torch.tensor([2.0, 0.0]), torch.tensor([3.0, 1.0])))
    0.75
    """
    low = low.sort().values
    won = torch.searchsorted(low, high) + torch.searchsorted(low, high, right=True)
    return won.double().mean() / (2 * low.numel())


SCORERS: dict[str, Callable[[Tensor], Callable[[Tensor], Tensor]]] = {
    "accuracy": Accuracy,
    "macro_f1": MacroF1,
    "balanced_accuracy": BalancedAccuracy,
    "roc_auc": RocAuc,
}
"""Metrics for fixed labels by name."""

STACKED = ("accuracy", "macro_f1", "balanced_accuracy")
"""Metrics that score the logits of several models in one call."""


def scorer(metric: str, y: Tensor) -> Callable[[Tensor], Tensor]:
    """Builds a metric for the labels ``y [B]``: ``logits [B, C]`` → a float64 scalar on their device.

    >>> import torch
    >>> validate = scorer("accuracy", torch.tensor([0, 1]))
    >>> float(validate(torch.tensor([[1.0, 0.0], [1.0, 0.0]])))
    0.5
    """
    return SCORERS[metric](y)
