"""No layer matching."""

from __future__ import annotations

from graphkd.matching.base import Matching


class NoMatching(Matching):
    """No pair: the method's own loss alone.

    Source: the baseline of Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in KD, 2025

    >>> NoMatching().pairs(num_student=2, num_teacher=4)
    []
    """

    name = "none"

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns no pair, whatever the depths."""
        return []
