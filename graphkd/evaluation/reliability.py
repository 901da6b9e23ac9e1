"""How often predictions are right, by how confident they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.evaluation.metrics import bins_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Rows by their largest probability, in bins of equal width as in ``expected_calibration_error``.

    Args:
        count: ``[bins]`` rows of each bin.
        hits: ``[bins]`` rows of it whose prediction is right.
        confidence_sum: ``[bins]`` sum of their largest probabilities.

    >>> import torch
    >>> table = Reliability.of(torch.tensor([[9.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 1]), bins=5)
    >>> table.count.tolist(), table.hits.tolist()
    ([0.0, 0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0, 1.0])
    """

    count: FloatArray
    hits: FloatArray
    confidence_sum: FloatArray

    @classmethod
    def of(cls, logits: Tensor, y: Tensor, bins: int = 15) -> Reliability:
        """Sorts rows into bins.

        Args:
            logits: ``[B, C]``; probabilities are computed in float64.
            y: ``[B]`` labels.
            bins: number of bins.
        """
        confidence, predicted, place = bins_of(logits, bins)
        columns = (torch.ones_like(confidence), (predicted == y).double(), confidence)
        sums = [confidence.new_zeros(bins).index_add_(0, place, column) for column in columns]
        return cls(*(each.cpu().numpy() for each in sums))

    def __add__(self, other: Reliability) -> Reliability:
        """Returns the bins of the rows of both."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in ("count", "hits", "confidence_sum"))
        return Reliability(*(mine + others for mine, others in pairs))

    @property
    def accuracy(self) -> FloatArray:
        """Fraction of right predictions of each bin, NaN where it is empty."""
        return self._mean(self.hits)

    @property
    def confidence(self) -> FloatArray:
        """Mean largest probability of each bin, NaN where it is empty."""
        return self._mean(self.confidence_sum)

    def _mean(self, sums: FloatArray) -> FloatArray:
        return np.where(self.count > 0, sums / np.maximum(self.count, 1), np.nan)
