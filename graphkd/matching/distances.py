"""Distances between matched layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Distance:
    """How far a student layer is from a teacher layer.

    Args:
        of: ``[B, d]`` and ``[B, d']`` → ``[B]``, each node's share; or, where ``by_node`` is false, a scalar.
        by_node: whether nodes have a share of their own; a distance of whole layers needs the full batch.
        any_width: whether ``d`` and ``d'`` may differ.
    """

    of: Callable[[Tensor, Tensor], Tensor]
    by_node: bool = True
    any_width: bool = False

    def __call__(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The mean over nodes, a scalar."""
        return self.of(student, teacher).mean()


def mse(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean_d (s_vd − t_vd)²`` of every node, ``[B]``."""
    return (student - teacher).square().mean(dim=1)


def normalized_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """``‖s_v/‖s_v‖ − t_v/‖t_v‖‖²`` of every node, ``[B]``, which is ``2 − 2 cos`` for non-zero rows."""
    return (F.normalize(student, dim=1) - F.normalize(teacher, dim=1)).square().sum(dim=1)


def cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """``1 − cos(s_v, t_v)`` of every node, ``[B]``; a zero row has cosine 0."""
    return 1 - F.cosine_similarity(student, teacher, dim=1)


DISTANCES: dict[str, Distance] = {
    "mse": Distance(mse),
    "normalized_mse": Distance(normalized_mse),
    "cosine": Distance(cosine),
}
