"""Every student layer to one teacher layer."""

from __future__ import annotations

from graphkd.matching.base import Matching


class AllToOne(Matching):
    """Every student layer to the teacher's middle layer, the ``ceil(N / 2)``-th of ``N``.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025
    """

    name = "all_to_one"

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """``[(0, m), …, (M − 1, m)]`` with ``m = ceil(N / 2) − 1``."""
        return [(i, (num_teacher - 1) // 2) for i in range(num_student)]
