"""How far two students, or a student and its teacher, are from each other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.students.output import StudentOutput


def kl(teacher: Tensor, logits: Tensor, tau: float) -> Tensor:
    """Returns ``KL(softmax(t / τ) ‖ softmax(z / τ))`` of every row, ``[N]``."""
    log_p = F.log_softmax(logits / tau, dim=1)
    return F.kl_div(log_p, F.log_softmax(teacher / tau, dim=1), reduction="none", log_target=True).sum(dim=1)


def alignment(one: StudentOutput, other: StudentOutput, share: float) -> Tensor:
    """Returns ``share · MSE(log p, log p') + (1 − share) · mean_l MSE(h_l, h_l')`` of two outputs."""
    log_p, log_q = (F.log_softmax(output.logits, dim=1) for output in (one, other))
    pairs = list(zip(one.hidden, other.hidden, strict=True))
    hidden = torch.stack([F.mse_loss(h, g) for h, g in pairs]).mean() if pairs else log_p.new_zeros(())
    return share * F.mse_loss(log_p, log_q) + (1 - share) * hidden
