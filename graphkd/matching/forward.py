"""Shallow to shallow, deep to deep."""

from __future__ import annotations

from graphkd.matching.base import Matching, uniform_map


class Forward(Matching):
    """Student layer ``i`` to teacher layer ``a(i) = ceil((i + 1) N / M) − 1``.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025
    """

    name = "forward"

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """``[(0, a(0)), …, (M − 1, N − 1)]``."""
        return list(enumerate(uniform_map(num_student, num_teacher)))
