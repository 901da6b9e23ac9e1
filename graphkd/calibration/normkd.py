"""A temperature per node: the deviation of its logits."""

from __future__ import annotations

from torch import Tensor

from graphkd.calibration.base import Calibration
from graphkd.calibration.deviation import deviation
from graphkd.ranges import check_above_zero


class NormKD(Calibration):
    """``z ← z / ((std z + 1e−7) τ)`` of every row of both sides, soft losses times the teacher's ``T_j²``.

    The softmaxes are those of ``logit_standardization``; a node ``j`` of which the teacher is surer, with a larger
    ``T_j = (std t_j + 1e−7) τ``, weighs more. Of an edge the sender's counts, whose distribution is learned.

    Source: Chi et al., NormKD: Normalized Logits for Knowledge Distillation, arXiv:2308.00520, 2023

    Args:
        tau: factor of the deviations, above 0.

    >>> import torch
    >>> NormKD(tau=1.0).student(torch.tensor([[1.0, 3.0, 5.0]])).round(decimals=3)
    tensor([[0.5000, 1.5000, 2.5000]])
    """

    name = "normkd"

    def __init__(self, tau: float = 2.0) -> None:
        super().__init__()
        check_above_zero("calibration", tau=tau)
        self.tau = tau

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns rows of one deviation."""
        return self.student(logits)

    def student(self, logits: Tensor) -> Tensor:
        """Returns rows of one deviation."""
        return logits / (deviation(logits) * self.tau)

    def sender_weight(self, logits: Tensor) -> Tensor:
        """Returns ``T² [N]`` float64."""
        return (deviation(logits.double()) * self.tau).square().squeeze(-1)
