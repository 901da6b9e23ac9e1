"""The layers of student and teacher in one step, and the distances between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from graphkd.matching.distances import Distance

Project = Callable[[Tensor, int, int], Tensor]
"""``(student layer i [B, d_S], i, j) → [B, d_T]``: its projection to teacher layer ``j``."""


def as_it_is(layer: Tensor, i: int, j: int) -> Tensor:
    """Returns the layer unchanged, without a projection."""
    return layer


@dataclass(frozen=True)
class Layers:
    """The input of a strategy; distances between layers are computed on first use and cached.

    Args:
        hidden: ``M`` tensors ``[B, d_S]`` of the student.
        hops: ``N`` tensors ``[B, d_T]`` of the frozen teacher, same rows.
        distance: between two layers.
        project: of a student layer to a teacher layer.
    """

    hidden: list[Tensor]
    hops: list[Tensor]
    distance: Distance
    project: Project = as_it_is
    _costs: dict[tuple[int, int], Tensor] = field(default_factory=dict)

    @property
    def depths(self) -> tuple[int, int]:
        """``M`` and ``N``."""
        return len(self.hidden), len(self.hops)

    def student(self, i: int, j: int) -> Tensor:
        """Projects student layer ``i`` to teacher layer ``j``, ``[B, d_j]``."""
        return self.project(self.hidden[i], i, j)

    def rows(self, i: int, j: int) -> Tensor:
        """Computes the distance at each node, ``[B]``."""
        return self.distance.of(self.student(i, j), self.hops[j])

    def cost(self, i: int, j: int) -> Tensor:
        """Computes the distance of the two layers, a scalar."""
        if (i, j) not in self._costs:
            self._costs[i, j] = self.distance(self.student(i, j), self.hops[j])
        return self._costs[i, j]

    def costs(self) -> Tensor:
        """Computes the distances of all pairs of layers, ``[M, N]``."""
        num_student, num_teacher = self.depths
        rows = [torch.stack([self.cost(i, j) for j in range(num_teacher)]) for i in range(num_student)]
        return torch.stack(rows)
