"""Interface of the N × N cosines between raw and propagated rows, without an N × N matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from graphkd.influence._minimum import Means, Minimum


class PropagatedCosine(ABC):
    """Cosines ``S_ij = ⟨x̂_i, ŷ_j⟩`` with ``Y = Ã^k X``; a zero row has cosine 0 with all rows.

    Sums over S are products with unit rows, linear in them; only the minimum requires all pairs.
    """

    x_scale: Tensor
    """``[N]`` float64, ``1 / ‖x_i‖``, or 0 for a zero row."""

    y_scale: Tensor
    """``[N]`` float64, the same for Y."""

    non_negative: bool
    """Whether no entry of X and Ã, and hence of S, is negative."""

    def row_sums(self, columns: int) -> Tensor:
        """Computes ``Σ_j S_ij = ⟨x̂_i, m⟩`` over the first ``columns`` nodes ``j``: ``[N]`` float64."""
        members = self.y_scale.new_zeros(self.y_scale.numel(), 1)
        members[:columns] = 1.0
        return self.group_sums(members).squeeze(1)

    @abstractmethod
    def group_sums(self, members: Tensor) -> Tensor:
        """Computes ``Σ_j S_ij g_jc`` for ``members g [N, C]``: ``[N, C]`` float64."""

    def minimum(self, means: Means) -> Minimum:
        """Computes ``min_ij S_ij`` over all pairs exactly, or bounds if the time limit is reached."""
        if self.non_negative and bool((self.x_scale == 0).any() | (self.y_scale == 0).any()):
            return Minimum(0.0, 0.0, 0.0)
        return self._minimum(0.0 if self.non_negative else -1.0, means)

    @abstractmethod
    def _minimum(self, floor: float, means: Means) -> Minimum:
        """Computes the minimum, given the lower bound ``floor`` of all cosines."""


def inverse(norms: Tensor) -> Tensor:
    """Computes ``1 / norm``, and 0 for a zero row, whose cosines are 0."""
    return torch.where(norms > 0, 1.0 / norms, 0.0)
