"""Metrics of predictions, in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.registry import unknown


def accuracy(logits: Tensor, y: Tensor) -> float:
    """Computes the fraction of rows whose largest logit is at the label; ``logits [B, C]``, ``y [B]``."""
    return float(Accuracy(y)(logits))


def macro_f1(logits: Tensor, y: Tensor) -> float:
    """Computes the unweighted mean F1 score over the classes that occur; ``logits [B, C]``, ``y [B]``."""
    from sklearn.metrics import f1_score

    return float(f1_score(y.cpu(), logits.argmax(dim=1).cpu(), average="macro", zero_division=0))


def balanced_accuracy(logits: Tensor, y: Tensor) -> float:
    """Computes the mean recall over the classes that occur; ``logits [B, C]``, ``y [B]``.

    >>> balanced_accuracy(torch.tensor([[9.0, 0.0], [9.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 0, 1]))
    0.5
    """
    return float(_recalls(logits, y).mean())


def worst_class_accuracy(logits: Tensor, y: Tensor) -> float:
    """Computes the lowest recall of a class that occurs; ``logits [B, C]``, ``y [B]``."""
    return float(_recalls(logits, y).min())


def _recalls(logits: Tensor, y: Tensor) -> Tensor:
    """Computes the recall of every class that occurs, in float64."""
    classes, of_each = torch.unique(y, return_inverse=True)
    total = torch.zeros(2, classes.numel(), dtype=torch.float64, device=y.device)
    total[0].index_add_(0, of_each, (logits.argmax(dim=1) == y).double())
    total[1].index_add_(0, of_each, torch.ones_like(y, dtype=torch.float64))
    return total[0] / total[1]


def expected_calibration_error(logits: Tensor, y: Tensor, bins: int = 15) -> float:
    """Computes how far confidence is from accuracy: ``Σ_b (n_b / N) |accuracy_b − confidence_b|``.

    A row's confidence is its largest probability; bin ``b`` of equal width holds confidences in
    ``(b / bins, (b + 1) / bins]``.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017

    Args:
        logits: ``[N, C]``; probabilities are computed in float64.
        y: ``[N]`` labels.
        bins: number of bins.

    >>> expected_calibration_error(torch.tensor([[9.0, -9.0], [9.0, -9.0]]), torch.tensor([0, 1]))
    0.4999999847700205
    """
    confidence, predicted = torch.softmax(logits.double(), dim=1).max(dim=1)
    bin_of_each = (confidence * bins).ceil().long() - 1
    gaps = torch.zeros(bins, dtype=torch.float64, device=logits.device)
    gaps.index_add_(0, bin_of_each.clamp(0, bins - 1), (predicted == y).double() - confidence)
    return float(gaps.abs().sum() / len(y))


def roc_auc(logits: Tensor, y: Tensor) -> float:
    """Computes the area under the ROC curve, with rows ranked by ``z_1 − z_0``.

    It is ``P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2`` for a row of class 1 and a row of class 0, drawn at random.

    Args:
        logits: ``[B, 2]``; their difference is computed in float64.
        y: ``[B]``, 0 or 1.

    Raises:
        GraphKDError: there are not two classes, only one class occurs, or a logit is not finite.
    """
    auc = float(RocAuc(y)(logits))
    if not bool(logits.isfinite().all()):
        raise GraphKDError("roc_auc needs finite logits, but the model has diverged: lower its learning rate")
    return auc


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
        low, high = margin[self.low].sort().values, margin[self.high]
        won = torch.searchsorted(low, high) + torch.searchsorted(low, high, right=True)
        return won.double().mean() / (2 * low.numel())


METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {"accuracy": accuracy, "roc_auc": roc_auc}
"""Metrics by name; higher is better."""

SCORERS: dict[str, type[Accuracy | RocAuc]] = {"accuracy": Accuracy, "roc_auc": RocAuc}
"""Metrics for fixed labels by name."""


def scorer(metric: str, y: Tensor) -> Callable[[Tensor], Tensor]:
    """Builds a metric for the labels ``y [B]``: ``logits [B, C]`` → a float64 scalar on their device."""
    return SCORERS[metric](y)


def score(metric: str, logits: Tensor, y: Tensor) -> float:
    """Computes the named metric of ``logits [B, C]`` and ``y [B]``.

    Raises:
        GraphKDError: the metric is unknown or does not apply.
    """
    if metric not in METRICS:
        raise GraphKDError(unknown("metric", metric, list(METRICS)))
    return METRICS[metric](logits, y)
