"""Shallow to shallow, deep to deep; or a user's map."""

from __future__ import annotations

from graphkd.checks import plain
from graphkd.errors import GraphKDError
from graphkd.matching.base import Matching, check_layer, uniform_map


class Forward(Matching):
    """Student layer ``i`` to teacher layer ``a(i) = ceil((i + 1) N / M) − 1``, or to ``layers[i]``.

    Costs ``M`` distances.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025

    Args:
        weight, distance, projection, lr, seed: see ``Matching``.
        layers: the teacher layer of every student layer, 0-based, instead of ``a``.

    >>> Forward().pairs(num_student=2, num_teacher=4)
    [(0, 1), (1, 3)]
    >>> Forward(layers=[0, 2]).pairs(num_student=2, num_teacher=4)
    [(0, 0), (1, 2)]
    """

    name = "forward"

    def __init__(
        self,
        weight: float = 1.0,
        distance: str = "normalized_mse",
        projection: str = "auto",
        lr: float | None = None,
        seed: int = 0,
        layers: list[int] | None = None,
    ) -> None:
        super().__init__(weight, distance, projection, lr, seed)
        if layers is not None and not isinstance(layers, list | tuple):
            raise GraphKDError(f"matching.layers is {layers!r}: give a list such as [0,2,4]")
        self.layers = None if layers is None else [plain(layer) for layer in layers]

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns ``[(0, a(0)), …, (M − 1, N − 1)]``, or the user's map."""
        if self.layers is None:
            return list(enumerate(uniform_map(num_student, num_teacher)))
        if len(self.layers) != num_student:
            raise GraphKDError(
                f"matching.layers names {len(self.layers)} teacher layers, but the student has {num_student} "
                "hidden ones: name one for each"
            )
        for layer in self.layers:
            check_layer("matching.layers", layer, num_teacher)
        return list(enumerate(self.layers))
