"""Strategies that match every student layer with every teacher layer, by weights."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.matching.base import Matching
from graphkd.matching.distances import DISTANCES
from graphkd.matching.layers import Layers


class SoftMatching(Matching):
    """``Σ_ij w_ij distance(P_ij h_i, t_j)`` over all pairs, with weights that depend on the layers.

    >>> import torch
    >>> class Equal(SoftMatching):
    ...     name = "equal"
    ...
    ...     def weigh(self, layers):
    ...         return torch.full(layers.depths, 1 / (layers.depths[0] * layers.depths[1]))
    ...
    >>> Equal().weights([torch.ones(5, 8)], [torch.ones(5, 8), torch.zeros(5, 8)])
    tensor([[0.5000, 0.5000]])
    """

    row_sum = False

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns all ``M · N`` pairs."""
        return [(i, j) for i in range(num_student) for j in range(num_teacher)]

    def weigh(self, layers: Layers) -> Tensor:
        """Computes ``w [M, N]``, which sum to 1; or per node ``[B, M, N]``, each row of which sums to 1."""
        raise NotImplementedError

    def weights(self, hidden: list[Tensor], hops: list[Tensor]) -> Tensor:
        """Computes ``weigh`` for layers that need no projection; changes no state.

        Args:
            hidden: ``M`` tensors ``[B, d]`` of the student.
            hops: ``N`` tensors ``[B, d]`` of the teacher, same rows.

        Returns:
            ``[M, N]`` or ``[B, M, N]``.
        """
        return self.weigh(Layers(hidden, hops, DISTANCES[self.distance]))

    def loss(self, layers: Layers) -> Tensor:
        """Computes the loss ``weighted`` by ``weigh``."""
        return weighted(self.weigh(layers), layers)


def weighted(weights: Tensor, layers: Layers) -> Tensor:
    """Computes ``Σ_ij w_ij distance(P_ij h_i, t_j)``, or ``1 / (B M) Σ_vij w_vij distance_v(P_ij h_i, t_j)``.

    Args:
        weights: ``[M, N]`` or ``[B, M, N]``.
        layers: the layers whose distances are weighted.

    Returns:
        A scalar.
    """
    if weights.dim() == 2:
        return (weights * layers.costs()).sum()
    num_student, num_teacher = layers.depths
    pairs = [(i, j) for i in range(num_student) for j in range(num_teacher)]
    return torch.stack([(weights[:, i, j] * layers.rows(i, j)).mean() for i, j in pairs]).sum() / num_student
