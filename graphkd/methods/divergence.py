"""How far two students, their layers, or a student and its teacher are from each other."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def kl(log_q: Tensor, logits: Tensor, tau: float) -> Tensor:
    """Returns ``KL(q ‖ softmax(z / τ))`` of every row, ``[N]``.

    Args:
        log_q: ``[N, C]`` log-probabilities, which several calls may share.
        logits: ``z [N, C]``.
        tau: ``τ``.
    """
    log_p = F.log_softmax(logits / tau, dim=1)
    return F.kl_div(log_p, log_q, reduction="none", log_target=True).sum(dim=1)


def cosine_distance(one: Tensor, other: Tensor, exponent: float) -> Tensor:
    """Returns ``mean_v (1 − cos(a_v, b_v))^exponent``; a distance that rounding leaves below 0 counts as 0."""
    return (1 - F.cosine_similarity(one, other, dim=1)).clamp_min(0).pow(exponent).mean()
