"""Forward's teacher layers in an order drawn once."""

from __future__ import annotations

import numpy as np

from graphkd.matching.base import Matching, uniform_map


class Random(Matching):
    """Student layer ``i`` to teacher layer ``a(π(i))``, ``π`` one permutation drawn per run.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025
    """

    name = "random"

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """The same for the same seed."""
        chosen = uniform_map(num_student, num_teacher)
        order = np.random.RandomState(self.seed % 2**32).permutation(num_student)
        return [(i, chosen[int(j)]) for i, j in enumerate(order)]
