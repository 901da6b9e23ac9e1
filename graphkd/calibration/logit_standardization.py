"""Logit standardisation."""

from __future__ import annotations

from torch import Tensor

from graphkd.calibration.base import Calibration
from graphkd.calibration.deviation import deviation
from graphkd.ranges import check_above_zero, check_switches


class LogitStandardization(Calibration):
    """``z ← (z − mean z) / ((std z + 1e−7) τ)`` of every row of teacher and student, soft losses times ``τ²``.

    The student learns the teacher's ranking and shape instead of its size. ``std`` has ``C − 1`` in the
    denominator. A row of three standardised logits has one degree of freedom, a row of two only an order.

    Source: Sun et al., Logit Standardization in Knowledge Distillation, CVPR 2024

    Args:
        tau: the base temperature, above 0.
        tau_squared: whether a soft loss is multiplied by ``τ²``, as published.

    >>> import torch
    >>> LogitStandardization(tau=1.0).student(torch.tensor([[1.0, 2.0, 3.0]])).round(decimals=3)
    tensor([[-1.,  0.,  1.]])
    """

    name = "logit_standardization"

    def __init__(self, tau: float = 2.0, tau_squared: bool = True) -> None:
        super().__init__()
        check_above_zero("calibration", tau=tau)
        check_switches("calibration", tau_squared=tau_squared)
        self.tau, self.tau_squared = tau, tau_squared

    @property
    def weight(self) -> float:
        """``τ²``, or 1."""
        return self.tau**2 if self.tau_squared else 1.0

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns standardised rows."""
        return self.student(logits)

    def student(self, logits: Tensor) -> Tensor:
        """Returns standardised rows."""
        return (logits - logits.mean(dim=-1, keepdim=True)) / (deviation(logits) * self.tau)
