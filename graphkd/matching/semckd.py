"""Many layers to many, by learned attention."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.checks import is_whole
from graphkd.errors import GraphKDError
from graphkd.matching.layers import Layers
from graphkd.matching.soft import SoftMatching

MOST = 4096
"""Upper bound of ``anchors``: the networks grow with its square."""


class SemCKD(SoftMatching):
    """``1 / (B M) Σ_vij α_vij distance_v(P_ij h_i, t_j)`` with ``α_vi· = softmax_j ⟨Q_i(G^S_i)_v, K_j(G^T_j)_v⟩``.

    ``G^S_i[v, r] = cos(h_vi, h_ri)`` and ``G^T_j[v, r] = cos(t_vj, t_rj)`` over ``R`` anchor rows ``r``. The paper
    uses the whole batch instead of anchors, and inner products instead of cosines: on a full graph that is
    ``B × B``, and a learned ``Q`` would not fit another batch. Anchors lie at fixed fractions of the batch,
    drawn by seed. ``Q_i`` and ``K_j`` are ``R → R/2 → R/4`` with a ReLU between, as published, and have outputs of
    unit length. They train with the student, which gets gradients through ``α`` too.

    Costs ``M N`` distances and projections, ``O((M + N) B R d)`` for the rows of ``G`` and ``O((M + N) B R²)`` for
    the networks.

    Source: Chen et al., Cross-Layer Distillation with Semantic Calibration, AAAI 2021

    Args:
        weight, distance, projection, lr, seed: see ``Matching``; the distance must be per node.
        anchors: ``R``; in a smaller batch some repeat.

    >>> SemCKD(anchors=16).pairs(num_student=1, num_teacher=3)
    [(0, 0), (0, 1), (0, 2)]
    """

    name = "semckd"
    by_node = True
    fractions: Tensor

    def __init__(
        self,
        weight: float = 1.0,
        distance: str = "normalized_mse",
        projection: str = "auto",
        lr: float | None = None,
        seed: int = 0,
        anchors: int = 64,
    ) -> None:
        super().__init__(weight, distance, projection, lr, seed)
        if not (is_whole(anchors) and 0 < anchors <= MOST):
            raise GraphKDError(f"matching.anchors is {anchors}: it must be a whole number from 1 to {MOST}")
        self.anchors = int(anchors)
        self.queries, self.keys = nn.ModuleList(), nn.ModuleList()

    def build(self, student_widths: list[int], teacher_widths: list[int]) -> None:
        """Draws the anchors, and creates the networks of every layer."""
        drawn = np.random.RandomState(self.seed).random_sample(self.anchors)
        self.register_buffer("fractions", torch.from_numpy(drawn), persistent=False)
        self.queries = nn.ModuleList(_network(self.anchors) for _ in student_widths)
        self.keys = nn.ModuleList(_network(self.anchors) for _ in teacher_widths)

    def weigh(self, layers: Layers) -> Tensor:
        """Computes ``α [B, M, N]``, each row of which sums to 1.

        Raises:
            GraphKDError: no networks were built for these depths.
        """
        if layers.depths != (len(self.queries), len(self.keys)):
            raise GraphKDError(
                f"matching=semckd has learned nothing about {layers.depths[0]} student and {layers.depths[1]} "
                "teacher layers: take the strategy of a MatchingTerm made for them"
            )
        rows = (self.fractions * layers.hops[0].shape[0]).long()
        queries = [query(_cosines(layer, rows)) for query, layer in zip(self.queries, layers.hidden, strict=True)]
        keys = [key(_cosines(hop, rows)) for key, hop in zip(self.keys, layers.hops, strict=True)]
        units = [F.normalize(torch.stack(each, dim=1), dim=2) for each in (queries, keys)]
        return (units[0] @ units[1].transpose(1, 2)).softmax(dim=2)


def _cosines(layer: Tensor, anchors: Tensor) -> Tensor:
    """Computes ``cos(h_v, h_r)``: ``[B, d]`` and ``[R]`` → ``[B, R]``."""
    unit = F.normalize(layer, dim=1)
    return unit @ unit.index_select(0, anchors).t()


def _network(anchors: int) -> nn.Module:
    out = max(1, anchors // 4)
    return nn.Sequential(nn.Linear(anchors, 2 * out), nn.ReLU(), nn.Linear(2 * out, out))
