"""Chosen teacher layers to whichever student layer is nearest."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.matching.base import uniform_map
from graphkd.matching.layers import Layers
from graphkd.matching.soft import SoftMatching


class Nearest(SoftMatching):
    """``1/M Σ_t c(i*(t), t)`` over ``t = a(0), …, a(M − 1)``, with the current ``i*(t) = argmin_i c(i, t)``.

    ``c(i, t) = distance(P_it h_i, t)`` and forward's ``a``; a teacher layer that ``a`` names twice counts twice.
    The choice is recomputed in every step, in any order: one student layer may learn from several teacher layers,
    others from none. Costs a distance and a projection for every student layer with every different teacher
    layer of ``a``, at most ``M²``; gradients are those of the chosen pairs.

    Source: Xia, Zhong and Chen, Structured Pruning Learns Compact and Accurate Models (CoFi), ACL 2022

    >>> import torch
    >>> student, near, far = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.1]]), torch.tensor([[0.0, 1.0]])
    >>> Nearest().weights([far, student], [near])
    tensor([[0.],
            [1.]])
    """

    name = "nearest"
    is_static = False

    def projected(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns the candidates: every student layer with every teacher layer of ``a``."""
        chosen = sorted(set(uniform_map(num_student, num_teacher)))
        return [(i, t) for i in range(num_student) for t in chosen]

    def may_skip_parameters(self, num_student: int, num_teacher: int) -> bool:
        """Returns whether a step may leave student layers unmatched, and their projections unused."""
        return num_student > 1

    def weigh(self, layers: Layers) -> Tensor:
        """Computes ``[M, N]``: ``1/M`` for every ``(i*(t), t)``, twice that where ``t`` counts twice, else 0."""
        weights = torch.zeros(layers.depths, dtype=layers.hidden[0].dtype, device=layers.hidden[0].device)
        for i, t in self._nearest(layers):
            weights[i, t] += 1 / layers.depths[0]
        return weights

    def loss(self, layers: Layers) -> Tensor:
        """Computes the mean over teacher layers, a scalar."""
        return torch.stack([layers.cost(i, t) for i, t in self._nearest(layers)]).mean()

    def _nearest(self, layers: Layers) -> list[tuple[int, int]]:
        """Returns ``(i*(t), t)`` for ``t`` in ``a``; of equals the shallowest."""
        num_student, _ = layers.depths
        teacher_layers = uniform_map(*layers.depths)
        costs = {t: [layers.cost(i, t) for i in range(num_student)] for t in set(teacher_layers)}
        nearest = {t: int(torch.stack(column).argmin()) for t, column in costs.items()}
        return [(nearest[t], t) for t in teacher_layers]
