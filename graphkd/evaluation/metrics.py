"""Scores of predictions, as fractions."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.names import unknown


def accuracy(logits: Tensor, y: Tensor) -> float:
    """Share of rows whose largest logit is at the label; ``logits [B, C]``, ``y [B]``."""
    return float((logits.argmax(dim=1) == y).double().mean())


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
    from sklearn.metrics import roc_auc_score

    if logits.dim() != 2 or logits.shape[1] != 2:
        raise GraphKDError(f"roc_auc needs two classes, but logits are {list(logits.shape)}: choose accuracy")
    if not bool((y == 0).any() & (y == 1).any()):
        raise GraphKDError("roc_auc needs nodes of both classes to score, but only one occurs: use another split")
    margin = logits[:, 1].double() - logits[:, 0].double()
    if not bool(margin.isfinite().all()):
        raise GraphKDError("roc_auc needs finite logits, but the model has diverged: lower its learning rate")
    return float(roc_auc_score(y.cpu(), margin.cpu()))


METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {"accuracy": accuracy, "roc_auc": roc_auc}
"""What a data set can be scored by; higher is better."""


def score(metric: str, logits: Tensor, y: Tensor) -> float:
    """The named metric of ``logits [B, C]`` and ``y [B]``.

    Raises:
        GraphKDError: there is no such metric, or it does not apply.
    """
    if metric not in METRICS:
        raise GraphKDError(unknown("metric", metric, list(METRICS)))
    return METRICS[metric](logits, y)
