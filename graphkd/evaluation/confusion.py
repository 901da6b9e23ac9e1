"""Counts of classes against predictions, and the metrics of each class that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FloatArray = NDArray[np.float64]

MOST_RECORDED = 50
"""Number of classes up to which the counts are recorded as well."""


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """``n_cd``: number of rows of class ``c`` whose prediction is ``d``.

    Args:
        counts: ``[C, C]``, a row per class, a column per prediction.

    >>> import torch
    >>> logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> matrix = ConfusionMatrix.of(logits, torch.tensor([0, 1, 1]))
    >>> matrix.counts.tolist(), matrix.recall.tolist(), matrix.precision.tolist()
    ([[1, 0], [1, 1]], [1.0, 0.5], [0.5, 1.0])
    """

    counts: NDArray[np.int64]

    @classmethod
    def of(cls, logits: Tensor, y: Tensor) -> ConfusionMatrix:
        """Counts the rows by label and largest logit, in one pass.

        Args:
            logits: ``[B, C]``.
            y: ``[B]`` labels.
        """
        classes = logits.shape[1]
        cells = (y * classes + logits.argmax(dim=1)).cpu()
        return cls(torch.bincount(cells, minlength=classes**2).view(classes, classes).numpy())

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """Returns the matrix of the rows of both."""
        return ConfusionMatrix(self.counts + other.counts)

    @property
    def support(self) -> NDArray[np.int64]:
        """Number of rows of each class, ``n_c = Σ_d n_cd``."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Number of predictions of each class, ``Σ_c n_cd``."""
        return np.asarray(self.counts.sum(axis=0))

    @property
    def precision(self) -> FloatArray:
        """``n_cc / Σ_d n_dc`` of each class, 0 where it is never predicted."""
        return _ratio(self.counts.diagonal(), self.predicted)

    @property
    def recall(self) -> FloatArray:
        """``n_cc / n_c`` of each class, 0 where it does not occur."""
        return _ratio(self.counts.diagonal(), self.support)

    @property
    def f1(self) -> FloatArray:
        """``2 n_cc / (n_c + Σ_d n_dc)`` of each class, 0 where it neither occurs nor is predicted."""
        return _ratio(2 * self.counts.diagonal(), self.support + self.predicted)

    @property
    def macro_f1(self) -> float:
        """The mean F1 score of the classes that occur or are predicted."""
        return float(self.f1[self.support + self.predicted > 0].mean())

    @property
    def worst_class_accuracy(self) -> float:
        """The lowest recall of the classes that occur."""
        return float(self.recall[self.support > 0].min())

    @property
    def never_predicted(self) -> list[int]:
        """Classes that occur, and are the prediction of no row."""
        missing = (self.support > 0) & (self.predicted == 0)
        return [int(c) for c in missing.nonzero()[0]]

    @property
    def record(self) -> dict[str, list[Any]]:
        """``precision``, ``recall``, ``f1``, ``support`` and ``predicted``, a list over classes each, for JSON.

        Up to 50 classes there are ``counts`` as well, a list per class.
        """
        columns = ["precision", "recall", "f1", "support", "predicted"]
        columns += ["counts"] if len(self.counts) <= MOST_RECORDED else []
        return {column: getattr(self, column).tolist() for column in columns}


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> FloatArray:
    return np.asarray(part / np.maximum(whole, 1), dtype=np.float64)
