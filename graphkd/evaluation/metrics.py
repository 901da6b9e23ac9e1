"""Metrics of predictions, in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.evaluation.confusion import ConfusionMatrix
from graphkd.evaluation.scorers import Accuracy, BalancedAccuracy, RocAuc
from graphkd.registry import unknown


def accuracy(logits: Tensor, y: Tensor) -> float:
    """Computes the fraction of rows whose largest logit is at the label; ``logits [B, C]``, ``y [B]``.

    >>> accuracy(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
    0.5
    """
    return float(Accuracy(y)(logits))


def macro_f1(logits: Tensor, y: Tensor) -> float:
    """Computes the unweighted mean F1 score of the classes that occur or are predicted.

    Args:
        logits: ``[B, C]``.
        y: ``[B]`` labels.

    >>> round(macro_f1(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1, 1])), 4)
    0.6667
    """
    return ConfusionMatrix.of(logits, y).macro_f1


def balanced_accuracy(logits: Tensor, y: Tensor) -> float:
    """Computes the unweighted mean recall of the classes that occur: ``mean_c (n_cc / n_c)``.

    Source: Brodersen et al., The Balanced Accuracy and Its Posterior Distribution, ICPR 2010

    Args:
        logits: ``[B, C]``.
        y: ``[B]`` labels.

    >>> balanced_accuracy(torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0, 1]))
    0.5
    """
    return float(BalancedAccuracy(y)(logits))


def worst_class_accuracy(logits: Tensor, y: Tensor) -> float:
    """Computes the lowest recall of the classes that occur: ``min_c (n_cc / n_c)``.

    Args:
        logits: ``[B, C]``.
        y: ``[B]`` labels.

    >>> worst_class_accuracy(torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0, 1]))
    0.0
    """
    return ConfusionMatrix.of(logits, y).worst_class_accuracy


def brier_score(logits: Tensor, y: Tensor) -> float:
    """Computes the squared error of the probabilities: ``mean_v Σ_c (p_vc − [y_v = c])²``, in [0, 2].

    Source: Brier, Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 1950

    Args:
        logits: ``[B, C]``; probabilities are computed in float64.
        y: ``[B]`` labels.

    >>> brier_score(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
    0.5
    """
    p = torch.softmax(logits.double(), dim=1)
    of_label = p.gather(1, y.unsqueeze(1)).squeeze(1)
    return float((p.square().sum(dim=1) - 2 * of_label + 1).mean())


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
    confidence, predicted, place = bins_of(logits, bins)
    gaps = torch.zeros(bins, dtype=torch.float64, device=logits.device)
    gaps.index_add_(0, place, (predicted == y).double() - confidence)
    return float(gaps.abs().sum() / len(y))


def bins_of(logits: Tensor, bins: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns each row's largest probability in float64, its class, and the bin of equal width that it is in.

    Args:
        logits: ``[B, C]``.
        bins: number of bins.
    """
    confidence, predicted = torch.softmax(logits.double(), dim=1).max(dim=1)
    return confidence, predicted, ((confidence * bins).ceil().long() - 1).clamp(0, bins - 1)


def roc_auc(logits: Tensor, y: Tensor) -> float:
    """Computes the area under the ROC curve, with rows ranked by ``z_1 − z_0``.

    It is ``P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2`` for a row of class 1 and a row of class 0, drawn at random.

    Args:
        logits: ``[B, 2]``; their difference is computed in float64.
        y: ``[B]``, 0 or 1.

    Raises:
        GraphKDError: there are not two classes, only one class occurs, or a logit is not finite.

    >>> roc_auc(torch.tensor([[0.0, 0.1], [0.0, 0.4], [0.0, 0.3]]), torch.tensor([0, 1, 0]))
    1.0
    """
    auc = float(RocAuc(y)(logits))
    if not bool(logits.isfinite().all()):
        raise GraphKDError("roc_auc needs finite logits, but the model has diverged: lower its learning rate")
    return auc


METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "balanced_accuracy": balanced_accuracy,
    "roc_auc": roc_auc,
}
"""Metrics by name; higher is better."""


def score(metric: str, logits: Tensor, y: Tensor) -> float:
    """Computes the named metric of ``logits [B, C]`` and ``y [B]``.

    Raises:
        GraphKDError: the metric is unknown or does not apply.

    >>> score("macro_f1", torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]))
    1.0
    """
    if metric not in METRICS:
        raise GraphKDError(unknown("metric", metric, list(METRICS)))
    return METRICS[metric](logits, y)
