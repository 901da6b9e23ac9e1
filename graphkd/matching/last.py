"""The last teacher layers."""

from __future__ import annotations

from graphkd.matching.base import Matching


class Last(Matching):
    """Student layer ``i`` to teacher layer ``N − M + i``: the last ``M`` hidden ones, in order.

    Where ``M > N``, the first student layers share the first teacher layer. Costs ``M`` distances.

    Source: Sun et al., Patient Knowledge Distillation for BERT Model Compression (PKD-Last), EMNLP 2019

    >>> Last().pairs(num_student=2, num_teacher=4)
    [(0, 2), (1, 3)]
    """

    name = "last"

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns ``[(0, N − M), …, (M − 1, N − 1)]``."""
        return [(i, max(0, num_teacher - num_student + i)) for i in range(num_student)]
