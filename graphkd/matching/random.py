"""Forward's teacher layers in a random order."""

from __future__ import annotations

import numpy as np

from graphkd.matching.base import Matching, check_flag, uniform_map


class Random(Matching):
    """Student layer ``i`` to teacher layer ``a(π(i))`` with forward's ``a`` and a permutation ``π``.

    Costs ``M`` distances; with ``redraw`` and projections, memory of ``M²`` projections at most.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025

    Args:
        weight, distance, projection, lr, seed: see ``Matching``.
        redraw: whether ``π`` is drawn in every epoch, instead of once per run.

    >>> sorted(j for _, j in Random(redraw=True).pairs(num_student=2, num_teacher=4))
    [1, 3]
    """

    name = "random"

    def __init__(
        self,
        weight: float = 1.0,
        distance: str = "normalized_mse",
        projection: str = "auto",
        lr: float | None = None,
        seed: int = 0,
        redraw: bool = False,
    ) -> None:
        super().__init__(weight, distance, projection, lr, seed)
        check_flag("matching.redraw", redraw)
        self.redraw, self.epoch = redraw, 0

    @property
    def is_static(self) -> bool:
        """Whether nothing is redrawn between epochs."""
        return not self.redraw

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns the pairs of this epoch; the same for the same seed."""
        chosen = uniform_map(num_student, num_teacher)
        source = [self.seed, self.epoch] if self.redraw else self.seed
        order = np.random.RandomState(source).permutation(num_student)
        return [(i, chosen[int(j)]) for i, j in enumerate(order)]

    def projected(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns the pairs, or all that may be drawn."""
        if not self.redraw:
            return self.pairs(num_student, num_teacher)
        chosen = sorted(set(uniform_map(num_student, num_teacher)))
        return [(i, j) for i in range(num_student) for j in chosen]

    def on_epoch_start(self, epoch: int) -> None:
        """Sets the epoch, and with ``redraw`` the pairs drawn."""
        self.epoch = epoch
