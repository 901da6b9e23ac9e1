"""Strategies that match every student layer with every teacher layer, some more than others."""

from __future__ import annotations

from torch import Tensor

from graphkd.matching.base import Matching
from graphkd.matching.distances import DISTANCES
from graphkd.matching.layers import Layers


class SoftMatching(Matching):
    """``Σ_ij w_ij distance(P_ij h_i, t_j)`` over all pairs, with weights that follow the layers."""

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """All ``M · N`` pairs."""
        return [(i, j) for i in range(num_student) for j in range(num_teacher)]

    def weigh(self, layers: Layers) -> Tensor:
        """``w [M, N]``, or ``[B, M, N]`` where every node has its own."""
        raise NotImplementedError

    def weights(self, hidden: list[Tensor], hops: list[Tensor]) -> Tensor:
        """``weigh`` of layers that need no projection.

        Args:
            hidden: ``M`` tensors ``[B, d]`` of the student.
            hops: ``N`` tensors ``[B, d]`` of the teacher, same rows.

        Returns:
            ``[M, N]`` or ``[B, M, N]``.
        """
        return self.weigh(Layers(hidden, hops, DISTANCES[self.distance]))

    def loss(self, layers: Layers) -> Tensor:
        """A scalar; weights ``[M, N]`` multiply distances of layers."""
        return (self.weigh(layers) * layers.costs()).sum()
