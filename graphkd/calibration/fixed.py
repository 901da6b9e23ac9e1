"""A temperature that stays."""

from __future__ import annotations

from torch import Tensor

from graphkd.calibration.base import Calibration
from graphkd.ranges import check_above_zero, check_switches


class FixedTemperature(Calibration):
    """``t ← t / τ`` of the teacher and ``z ← z / τ'`` of the student in soft losses.

    With ``tau_squared`` a soft loss is multiplied by ``τ τ'``. The method's own, ``method.tau``, divides as well.

    Source: Hinton et al., Distilling the Knowledge in a Neural Network, NIPS 2014 workshop

    Args:
        tau: of the teacher, above 0.
        student_tau: of the student; by default ``tau``.
        tau_squared: whether a soft loss is multiplied by both, so that its gradient keeps its size.

    >>> import torch
    >>> FixedTemperature(tau=2.0).teacher(torch.tensor([[4.0, 0.0]]))
    tensor([[2., 0.]])
    """

    name = "fixed"

    def __init__(self, tau: float = 2.0, student_tau: float | None = None, tau_squared: bool = False) -> None:
        super().__init__()
        check_above_zero("calibration", tau=tau, **({} if student_tau is None else {"student_tau": student_tau}))
        check_switches("calibration", tau_squared=tau_squared)
        self.tau, self.student_tau, self.tau_squared = tau, student_tau, tau_squared

    @property
    def _student_tau(self) -> float:
        return self.tau if self.student_tau is None else self.student_tau

    @property
    def weight(self) -> float:
        """``τ τ'``, or 1."""
        return self.tau * self._student_tau if self.tau_squared else 1.0

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns ``t / τ``."""
        return logits / self.tau

    def student(self, logits: Tensor) -> Tensor:
        """Returns ``z / τ'``."""
        return logits / self._student_tau
