"""How far two students, their layers, or a student and its teacher are from each other."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def kl(teacher: Tensor, logits: Tensor, tau: float) -> Tensor:
    """Returns ``KL(softmax(t / τ) ‖ softmax(z / τ))`` of every row, ``[N]``."""
    log_p = F.log_softmax(logits / tau, dim=1)
    return F.kl_div(log_p, F.log_softmax(teacher / tau, dim=1), reduction="none", log_target=True).sum(dim=1)


def cosine_distance(one: Tensor, other: Tensor, exponent: float) -> Tensor:
    """Returns ``mean_v (1 − cos(a_v, b_v))^exponent``; a distance that rounding leaves below 0 counts as 0."""
    return (1 - F.cosine_similarity(one, other, dim=1)).clamp_min(0).pow(exponent).mean()
