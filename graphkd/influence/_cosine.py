"""Cosines between raw and propagated rows, N × N of them, without an N × N matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from graphkd.influence._minimum import Means, Minimum


class PropagatedCosine(ABC):
    """``S_ij = ⟨x̂_i, ŷ_j⟩`` with ``Y = Ã^k X``; a zero row has cosine 0 with everything.

    Sums over S are products with unit rows, linear in them; only the least entry asks for all pairs.
    """

    x_scale: Tensor
    """``[N]`` float64, ``1 / ‖x_i‖``, or 0 for a zero row."""

    y_scale: Tensor
    """``[N]`` float64, the same of Y."""

    non_negative: bool
    """Whether no entry of X and Ã is below 0, and so none of S."""

    def row_sums(self, columns: int) -> Tensor:
        """``Σ_j S_ij = ⟨x̂_i, m⟩`` over the first ``columns`` nodes ``j``: ``[N]`` float64."""
        members = self.y_scale.new_zeros(self.y_scale.numel(), 1)
        members[:columns] = 1.0
        return self.group_sums(members).squeeze(1)

    @abstractmethod
    def group_sums(self, members: Tensor) -> Tensor:
        """``Σ_j S_ij g_jc`` for ``members g [N, C]``: ``[N, C]`` float64."""

    def minimum(self, means: Means) -> Minimum:
        """``min_ij S_ij`` over all pairs: exactly, or bounds where time ends first."""
        if self.non_negative and bool((self.x_scale == 0).any() | (self.y_scale == 0).any()):
            return Minimum(0.0, 0.0, 0.0)
        return self._minimum(0.0 if self.non_negative else -1.0, means)

    @abstractmethod
    def _minimum(self, floor: float, means: Means) -> Minimum:
        """The same, where no cosine is known to be below ``floor`` and S may have no zero rows."""


def inverse(norms: Tensor) -> Tensor:
    """``1 / norm``, and 0 for a zero row: its cosine with everything is 0."""
    return torch.where(norms > 0, 1.0 / norms, 0.0)
