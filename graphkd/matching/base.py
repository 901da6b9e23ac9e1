"""What every layer-selection strategy is."""

from __future__ import annotations

import copy
import math
from typing import ClassVar

from graphkd.errors import GraphKDError
from graphkd.matching.distances import DISTANCES
from graphkd.numbers import is_real, is_whole


class Matching:
    """Which student layer is pulled towards which teacher layer, and how.

    Args:
        weight: of the term, added to the method's loss.
        distance: ``mse``, ``normalized_mse`` or ``cosine``.
        projection: ``linear`` (a learned bias-free map per pair, only where widths differ) or ``none``.
        seed: of strategies that draw; the run's seed is added to it.

    Raises:
        GraphKDError: an unknown distance or projection, or a negative weight.
    """

    name: ClassVar[str]

    def __init__(
        self, weight: float = 1.0, distance: str = "normalized_mse", projection: str = "linear", seed: int = 0
    ) -> None:
        if not (is_real(weight) and 0 <= weight < math.inf):
            raise GraphKDError(f"matching.weight is {weight}: it must be a finite number, 0 or more")
        if not (is_whole(seed) and 0 <= seed < 2**31):
            raise GraphKDError(f"matching.seed is {seed}: it must be a whole number from 0 to {2**31 - 1}")
        if distance not in DISTANCES:
            raise GraphKDError(f"matching.distance is '{distance}': choose one of {', '.join(DISTANCES)}")
        if projection not in ("linear", "none"):
            raise GraphKDError(f"matching.projection is '{projection}': choose linear or none")
        self.weight, self.distance, self.projection, self.seed = weight, distance, projection, seed

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """The layers to match.

        Args:
            num_student: ``M`` hidden layers of the student.
            num_teacher: ``N`` hidden hops of the teacher (its logits are not one).

        Returns:
            ``(student layer, teacher layer)``, 0-based.
        """
        raise NotImplementedError

    def with_seed(self, seed: int) -> Matching:
        """The same strategy, drawing from another seed."""
        other = copy.copy(self)
        other.seed = seed
        return other


def uniform_map(num_student: int, num_teacher: int) -> list[int]:
    """``a(i) = ceil((i + 1) N / M) − 1`` for ``i = 0 … M − 1``: evenly spaced, the last to the last."""
    return [-(-(i + 1) * num_teacher // num_student) - 1 for i in range(num_student)]
