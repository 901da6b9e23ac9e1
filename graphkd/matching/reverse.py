"""Shallow to deep, deep to shallow."""

from __future__ import annotations

from graphkd.matching.base import Matching, uniform_map


class Reverse(Matching):
    """Student layer ``i`` to teacher layer ``a(M − 1 − i)``, with forward's ``a``.

    Costs ``M`` distances.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025

    >>> Reverse().pairs(num_student=2, num_teacher=4)
    [(0, 3), (1, 1)]
    """

    name = "reverse"

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns ``[(0, N − 1), …, (M − 1, a(0))]``."""
        return list(enumerate(reversed(uniform_map(num_student, num_teacher))))
