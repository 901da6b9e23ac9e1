"""Scores of predictions, as fractions."""

from __future__ import annotations

from torch import Tensor


def accuracy(logits: Tensor, y: Tensor) -> float:
    """Share of rows whose largest logit is at the label; ``logits [B, C]``, ``y [B]``."""
    return float((logits.argmax(dim=1) == y).double().mean())


def macro_f1(logits: Tensor, y: Tensor) -> float:
    """Unweighted mean over the classes that occur of the F1 score; ``logits [B, C]``, ``y [B]``."""
    from sklearn.metrics import f1_score

    return float(f1_score(y.cpu(), logits.argmax(dim=1).cpu(), average="macro", zero_division=0))
