"""Every student layer to one teacher layer."""

from __future__ import annotations

from graphkd.checks import is_whole, plain
from graphkd.errors import GraphKDError
from graphkd.matching.base import Matching, check_layer


class AllToOne(Matching):
    """Every student layer to the same teacher layer ``m``.

    Costs ``M`` distances.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025

    Args:
        weight, distance, projection, lr, seed: see ``Matching``.
        layer: ``m``: ``middle``, which is the ``ceil(N / 2)``-th of ``N``, ``last``, or a number, 0-based.

    >>> AllToOne(layer="last").pairs(num_student=2, num_teacher=4)
    [(0, 3), (1, 3)]
    """

    name = "all_to_one"

    def __init__(
        self,
        weight: float = 1.0,
        distance: str = "normalized_mse",
        projection: str = "auto",
        lr: float | None = None,
        seed: int = 0,
        layer: str | int = "middle",
    ) -> None:
        super().__init__(weight, distance, projection, lr, seed)
        if layer not in ("middle", "last") and not is_whole(layer):
            raise GraphKDError(f"matching.layer is '{layer}': choose middle, last or a number from 0")
        self.layer = plain(layer)

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns ``[(0, m), …, (M − 1, m)]``."""
        chosen = {"middle": (num_teacher - 1) // 2, "last": num_teacher - 1}.get(self.layer, self.layer)
        check_layer("matching.layer", chosen, num_teacher)
        return [(i, chosen) for i in range(num_student)]
