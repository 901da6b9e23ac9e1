"""Every student layer to a mixture of all teacher layers."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.matching.layers import Layers
from graphkd.matching.soft import SoftMatching


class Attention(SoftMatching):
    """``1/M Σ_i distance(P_i h_i, t̃_i)`` with ``t̃_vi = Σ_j α_vij t_vj``, ``α_vij = softmax_j ⟨P_i h_vi, t_vj⟩``.

    The bucket-free form of ALP-KD. Unlike in the other soft strategies the layers are averaged, not their
    distances: a student layer has one target at every node, and one projection. Costs ``M`` distances
    and two passes over a layer for each of the ``M N`` pairs, ``O(B M N d)``; ``t̃`` is accumulated layer by layer,
    so that memory grows with ``M d + M N`` per node, not with ``M N d``.

    Source: Passban et al., ALP-KD: Attention-Based Layer Projection for Knowledge Distillation, AAAI 2021

    >>> Attention().weights([torch.ones(1, 8)], [torch.ones(1, 8), torch.ones(1, 8)])
    tensor([[[0.5000, 0.5000]]])
    """

    name = "attention"
    one_width = True
    row_sum = True

    def projected(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns one pair per student layer: all teacher layers have the width of the first."""
        return [(i, 0) for i in range(num_student)]

    def build(self, student_widths: list[int], teacher_widths: list[int]) -> None:
        """Checks the teacher's widths.

        Raises:
            GraphKDError: the widths differ, so that there is no average.
        """
        if len(set(teacher_widths)) > 1:
            raise GraphKDError(
                f"matching=attention averages the teacher's layers, but they have widths {teacher_widths}: "
                "give them one width, or choose matching=emd or semckd"
            )

    def weigh(self, layers: Layers) -> Tensor:
        """Computes ``α [B, M, N]``, each row of which sums to 1."""
        num_student, _ = layers.depths
        return torch.stack([attend(layers.student(i, 0), layers.hops) for i in range(num_student)], dim=1)

    def loss(self, layers: Layers) -> Tensor:
        """Computes the mean over student layers, a scalar."""
        num_student, _ = layers.depths
        return torch.stack([_distance(layers, i) for i in range(num_student)]).mean()


def attend(student: Tensor, hops: list[Tensor]) -> Tensor:
    """Computes ``softmax_j ⟨s_v, t_vj⟩``, finite whatever the norms.

    A product beyond the range of float32 is clamped to the largest finite number: rows are scaled before the
    product and scores clamped after it.

    Args:
        student: ``[B, d]``.
        hops: ``N`` tensors ``[B, d]``.

    Returns:
        ``[B, N]``.
    """
    limit = torch.finfo(student.dtype)
    scale = student.detach().abs().amax(dim=1, keepdim=True).clamp(min=limit.tiny)
    unit = student / scale
    scores = torch.stack([(unit * hop).sum(dim=1) for hop in hops], dim=1) * scale
    return scores.clamp(limit.min, limit.max).softmax(dim=1)


def _distance(layers: Layers, i: int) -> Tensor:
    """Computes the distance of student layer ``i`` from its target."""
    student = layers.student(i, 0)
    target, shares = torch.zeros_like(layers.hops[0]), attend(student, layers.hops)
    for share, hop in zip(shares.unbind(dim=1), layers.hops, strict=True):
        target = torch.addcmul(target, share.unsqueeze(1), hop)
    return layers.distance(student, target)
