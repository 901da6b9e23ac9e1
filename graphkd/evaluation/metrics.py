"""Scores of predictions, as fractions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.registry import unknown


def accuracy(logits: Tensor, y: Tensor) -> float:
    """Share of rows whose largest logit is at the label; ``logits [B, C]``, ``y [B]``."""
    return float(Accuracy(y)(logits))


def macro_f1(logits: Tensor, y: Tensor) -> float:
    """Unweighted mean over the classes that occur of the F1 score; ``logits [B, C]``, ``y [B]``."""
    from sklearn.metrics import f1_score

    return float(f1_score(y.cpu(), logits.argmax(dim=1).cpu(), average="macro", zero_division=0))


def roc_auc(logits: Tensor, y: Tensor) -> float:
    """Area under the ROC curve, rows ranked by ``z_1 − z_0``.

    It is ``P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2`` for a row of class 1 and a row of class 0, drawn at random.

    Args:
        logits: ``[B, 2]``; their difference is taken in float64.
        y: ``[B]``, 0 or 1.

    Raises:
        GraphKDError: there are not two classes, only one of them occurs, or a logit is not finite.
    """
    found = float(RocAuc(y)(logits))
    if not bool(logits.isfinite().all()):
        raise GraphKDError("roc_auc needs finite logits, but the model has diverged: lower its learning rate")
    return found


class Accuracy:
    """``accuracy`` of rows whose labels are known beforehand, without asking the device for it.

    Args:
        y: ``[B]``, or ``[S, B]`` for several models.
    """

    def __init__(self, y: Tensor) -> None:
        self.y = y

    def __call__(self, logits: Tensor) -> Tensor:
        """``logits [B, C]`` → a float64 scalar on their device; ``[S, B, C]`` → ``[S]``."""
        return (logits.argmax(dim=-1) == self.y).double().mean(dim=-1)


class RocAuc:
    """``roc_auc`` of rows whose labels are known beforehand, without asking the device for it.

    Each row of class 1 is looked up among the sorted rows of class 0: B log B instead of all pairs.

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
        """``logits [B, 2]`` → a float64 scalar on their device."""
        if logits.dim() != 2 or logits.shape[1] != 2:
            raise GraphKDError(f"roc_auc needs two classes, but logits are {list(logits.shape)}: choose accuracy")
        margin = logits[:, 1].double() - logits[:, 0].double()
        low, high = margin[self.low].sort().values, margin[self.high]
        won = torch.searchsorted(low, high) + torch.searchsorted(low, high, right=True)
        return won.double().mean() / (2 * low.numel())


METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {"accuracy": accuracy, "roc_auc": roc_auc}
"""What a data set can be scored by; higher is better."""

SCORERS: dict[str, type[Accuracy | RocAuc]] = {"accuracy": Accuracy, "roc_auc": RocAuc}
"""The same, made for labels that are known beforehand."""


def scorer(metric: str, y: Tensor) -> Callable[[Tensor], Tensor]:
    """The named metric of rows with the labels ``y [B]``: ``logits [B, C]`` → a float64 scalar on their device."""
    return SCORERS[metric](y)


def score(metric: str, logits: Tensor, y: Tensor) -> float:
    """The named metric of ``logits [B, C]`` and ``y [B]``.

    Raises:
        GraphKDError: there is no such metric, or it does not apply.
    """
    if metric not in METRICS:
        raise GraphKDError(unknown("metric", metric, list(METRICS)))
    return METRICS[metric](logits, y)
