"""Temperatures per node that follow the largest logits of student and teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.calibration.base import Calibration
from graphkd.ranges import check_above_zero

if TYPE_CHECKING:
    from graphkd.methods import Epoch, Targets

MARGIN = 0.05
"""The smallest share of a side in the two temperatures of a node."""


class DTKD(Calibration):
    """``t_i ← t_i / T_i``, ``z_i ← z_i / S_i`` in soft losses of node ``i``, which are multiplied by ``S_i T_i``.

    ``S_i = 2 τ m_S / (m_S + m_T)`` and ``T_i = 2 τ m_T / (m_S + m_T)`` with the largest logits ``m_S`` of the
    student and ``m_T`` of the teacher, so that ``S_i + T_i = 2 τ``: the side with larger logits is cooled more. A
    negative ``m`` counts as 0, two that are 0 as equal, and no share is below 0.05: temperatures are above 0.

    They are computed once an epoch, by the student of its start, and are constants within; the published ones
    move in every step. The published sum with a soft loss at ``τ`` and its weights are left out. Targets that mix
    nodes have no such temperatures, and are refused.

    Source: Wei and Bai, Dynamic Temperature Knowledge Distillation (DTKD), arXiv:2404.12711, 2024

    Args:
        tau: ``τ``, above 0.

    >>> import torch
    >>> DTKD(tau=2.0).student_per_row(torch.tensor([[4.0, 0.0]]), torch.tensor([[0.5]]))
    tensor([[8., 0.]])
    """

    name = "dtkd"

    def __init__(self, tau: float = 4.0) -> None:
        super().__init__()
        check_above_zero("calibration", tau=tau)
        self.tau = tau

    @property
    def per_row(self) -> bool:
        """True."""
        return True

    def row_table(self, targets: Targets) -> Tensor:
        """Returns ``S [N, 1]``, ``τ`` until the first epoch begins."""
        return torch.full_like(targets.label_weight, self.tau).unsqueeze(1)

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns ``t / τ``, which the first epoch replaces."""
        return logits / self.tau

    def student_per_row(self, logits: Tensor, rows: Tensor) -> Tensor:
        """Returns ``z / S``."""
        return logits / rows.to(logits.dtype)

    def on_epoch_start(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> None:
        """Computes the temperatures of this epoch, and folds the teacher with them."""
        assert targets.soft is not None
        assert targets.soft.adjust_rows is not None
        ours, theirs = temperatures(epoch.logits().to(teacher.device), teacher, self.tau)
        targets.soft.adjust_rows.copy_(ours.unsqueeze(1))
        targets.refold(logits=teacher / theirs.unsqueeze(1).to(teacher.dtype), sender_weight=ours * theirs)


def temperatures(student: Tensor, teacher: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """Returns ``S`` and ``T``, ``[N]`` float64 each.

    Args:
        student: logits ``[N, C]``.
        teacher: logits ``[N, C]``.
        tau: ``τ``.

    >>> temperatures(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]]), 4.0)
    (tensor([2.], dtype=torch.float64), tensor([6.], dtype=torch.float64))
    """
    ours, theirs = (logits.double().amax(dim=1).clamp_min(0) for logits in (student, teacher))
    total = ours + theirs
    share = torch.where(total > 0, ours / total, 0.5).clamp(MARGIN, 1 - MARGIN)
    return 2 * tau * share, 2 * tau * (1 - share)
