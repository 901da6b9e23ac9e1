"""Every k-th teacher layer."""

from __future__ import annotations

from graphkd.matching.base import Matching


class Skip(Matching):
    """Student layer ``i`` to teacher layer ``k (i + 1) − 1`` with ``k = (N + 1) // (M + 1)``, 1 or more.

    ``N + 1`` and ``M + 1`` are the networks' depths, the logits counted: 12 layers to 6 gives every second one, as
    published. Student layers beyond the teacher's last hidden one are matched to that. Costs ``M`` distances.

    Source: Sun et al., Patient Knowledge Distillation for BERT Model Compression (PKD-Skip), EMNLP 2019

    >>> Skip().pairs(num_student=2, num_teacher=5)
    [(0, 1), (1, 3)]
    """

    name = "skip"

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns ``[(0, k − 1), (1, 2 k − 1), …]``."""
        step = max(1, (num_teacher + 1) // (num_student + 1))
        return [(i, min(step * (i + 1), num_teacher) - 1) for i in range(num_student)]
