"""Teacher layers drawn in every epoch, in their order."""

from __future__ import annotations

import numpy as np

from graphkd.matching.base import Matching


class InOrderRandom(Matching):
    """``M`` of the ``N`` teacher layers, drawn in every epoch, sorted, and matched in order.

    They are drawn without replacement; where ``M > N`` every layer is used ``M // N`` times, and the rest is
    drawn. The layer-wise form of RAIL-KD. Costs ``M`` distances, and memory of ``M · N`` projections if any.

    Source: Haidar et al., RAIL-KD: RAndom Intermediate Layer Mapping for Knowledge Distillation, 2021

    >>> matching = InOrderRandom()
    >>> layers = [j for _, j in matching.pairs(num_student=2, num_teacher=4)]
    >>> layers == sorted(layers), len(matching.projected(num_student=2, num_teacher=4))
    (True, 8)
    """

    name = "in_order"
    epoch = 0

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns the pairs of this epoch; the same for the same seed."""
        rounds, rest = divmod(num_student, num_teacher)
        drawn = np.random.RandomState([self.seed, self.epoch]).permutation(num_teacher)[:rest]
        return list(enumerate(sorted([*drawn.tolist(), *list(range(num_teacher)) * rounds])))

    def projected(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns all pairs: any of them may be drawn."""
        return [(i, j) for i in range(num_student) for j in range(num_teacher)]

    def on_epoch_start(self, epoch: int) -> None:
        """Sets the epoch, and with it the pairs drawn."""
        self.epoch = epoch
