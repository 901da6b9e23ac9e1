"""Distances between matched layers, each a mean over nodes."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor


def mse(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean_vd (s_vd − t_vd)²`` of ``[B, d]`` layers."""
    return F.mse_loss(student, teacher)


def normalized_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean_v ‖s_v/‖s_v‖ − t_v/‖t_v‖‖²``, which is ``2 − 2 cos`` for non-zero rows."""
    return (F.normalize(student, dim=1) - F.normalize(teacher, dim=1)).square().sum(dim=1).mean()


def cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean_v (1 − cos(s_v, t_v))``; a zero row has cosine 0."""
    return 1 - F.cosine_similarity(student, teacher, dim=1).mean()


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": mse,
    "normalized_mse": normalized_mse,
    "cosine": cosine,
}
