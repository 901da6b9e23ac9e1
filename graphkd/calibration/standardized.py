"""Logit standardisation."""

from __future__ import annotations

from torch import Tensor

from graphkd.calibration.base import Calibration
from graphkd.checks import is_real
from graphkd.errors import GraphKDError

EPS = 1e-7
"""Added to a standard deviation, which is 0 where all logits of a row are equal."""


class Standardized(Calibration):
    """``z ← scale (z − mean z) / (std z + 1e−7)`` of every row of teacher and student, in soft losses.

    The student learns the teacher's ranking and shape instead of its size. ``std`` is the population's.

    Source: Sun et al., Logit Standardization in Knowledge Distillation, CVPR 2024

    Args:
        scale: of the standardised logits, above 0.
    """

    name = "standardized"

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        if not (is_real(scale) and 0 < scale <= 1e6):
            raise GraphKDError(f"calibration.scale is {scale}: it must be a number above 0")
        self.scale = scale

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns standardised rows."""
        return self.student(logits)

    def student(self, logits: Tensor) -> Tensor:
        """Returns standardised rows."""
        centred = logits - logits.mean(dim=-1, keepdim=True)
        variance = centred.pow(2).mean(dim=-1, keepdim=True)
        # Clamped first: where all logits of a row are equal the root would have an infinite gradient.
        return self.scale * centred / (variance.clamp_min(EPS**2).sqrt() + EPS)
