"""The base class of layer-selection strategies."""

from __future__ import annotations

import copy
from typing import ClassVar

import torch
from torch import Tensor, nn

from graphkd.checks import is_real, is_whole
from graphkd.errors import GraphKDError
from graphkd.matching.distances import DISTANCES
from graphkd.matching.layers import Layers
from graphkd.matching.projections import PROJECTIONS
from graphkd.registry import parameters_of
from graphkd.terms.base import MOST_WEIGHT


class Matching(nn.Module):
    """A layer-selection strategy: which student layer is pulled towards which teacher layer, and how.

    A module, since some strategies learn: parameters created in ``build`` train with the student.

    Args:
        weight: of the term, added to the method's loss. With a large weight the method's own loss falls late, and
            the student may fall back once weight decay sets in: see experiments/layer_selection.
        distance: between layers, a key of ``DISTANCES``.
        projection: of student layers, a key of ``PROJECTIONS``.
        lr: learning rate of the term's parameters (projections, a learned strategy); by default the student's.
        seed: of random strategies; the run's seed is added to it.

    Raises:
        GraphKDError: an unknown distance or projection, or a value outside its range.

    >>> class First(Matching):
    ...     name = "first"
    ...
    ...     def pairs(self, num_student, num_teacher):
    ...         return [(i, 0) for i in range(num_student)]
    ...
    >>> First(distance="cosine").pairs(2, 4)
    [(0, 0), (1, 0)]
    """

    name: ClassVar[str]
    one_width: ClassVar[bool] = False
    """Whether projected layers must have the teacher's width, whatever widths the distance supports."""
    by_node: ClassVar[bool] = False
    """Whether nodes are weighted, which requires a distance per node."""
    row_sum: ClassVar[bool] = True
    """Whether the loss is a mean over rows wherever the distance is, so that processes can share the rows."""

    @property
    def is_static(self) -> bool:
        """Whether ``loss`` launches the same device operations in every epoch, and none waits for the device."""
        return type(self).on_epoch_start is Matching.on_epoch_start

    def __init__(
        self,
        weight: float = 1.0,
        distance: str = "normalized_mse",
        projection: str = "auto",
        lr: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not (is_real(weight) and 0 <= weight < MOST_WEIGHT):
            raise GraphKDError(f"matching.weight is {weight}: it must lie between 0 and {MOST_WEIGHT:g}")
        if not (is_whole(seed) and 0 <= seed < 2**31):
            raise GraphKDError(f"matching.seed is {seed}: it must be a whole number from 0 to {2**31 - 1}")
        if lr is not None and not (is_real(lr) and 0 < lr < 1e30):
            raise GraphKDError(f"matching.lr is {lr}: it must lie between 0 and 1e30, or be left out")
        if not isinstance(distance, str) or distance not in DISTANCES:
            raise GraphKDError(f"matching.distance is '{distance}': choose one of {', '.join(DISTANCES)}")
        if self.by_node and not DISTANCES[distance].by_node:
            raise GraphKDError(
                f"matching={self.name} weights nodes, which distance={distance} does not tell apart: "
                f"choose one of {', '.join(name for name, each in DISTANCES.items() if each.by_node)}"
            )
        if not isinstance(projection, str) or projection not in PROJECTIONS:
            raise GraphKDError(f"matching.projection is '{projection}': choose one of {', '.join(PROJECTIONS)}")
        self.weight, self.distance, self.projection = weight, distance, projection
        self.lr, self.seed = lr, int(seed)

    def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns the layers to match.

        Args:
            num_student: ``M`` hidden layers of the student, 1 or more.
            num_teacher: ``N`` hidden hops of the teacher (its logits are not one), 1 or more.

        Returns:
            ``(student layer, teacher layer)``, 0-based.

        Raises:
            GraphKDError: the settings name a layer that does not exist.
        """
        raise NotImplementedError

    def projected(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
        """Returns the pairs that need a projection: more than ``pairs`` where those are drawn, fewer if shared."""
        return self.pairs(num_student, num_teacher)

    def may_skip_parameters(self, num_student: int, num_teacher: int) -> bool:
        """Returns whether a step may leave projections unused."""
        return len(self.projected(num_student, num_teacher)) > len(self.pairs(num_student, num_teacher))

    def build(self, student_widths: list[int], teacher_widths: list[int]) -> None:
        """Creates the modules and buffers for layers of these widths, once; most strategies need none.

        Raises:
            GraphKDError: the strategy cannot match these layers.
        """

    def on_epoch_start(self, epoch: int) -> None:
        """Draws what is redrawn in every epoch; most strategies draw nothing."""

    def loss(self, layers: Layers) -> Tensor:
        """Computes the mean of the pairs' distances, a scalar."""
        return torch.stack([layers.cost(i, j) for i, j in self.pairs(*layers.depths)]).mean()

    def extra_repr(self) -> str:
        """Returns the settings, for ``repr``."""
        return ", ".join(f"{key}={getattr(self, key)!r}" for key in parameters_of(type(self)))

    def with_seed(self, seed: int) -> Matching:
        """Returns a copy of the strategy with another seed."""
        clone = copy.deepcopy(self)
        clone.seed = seed
        return clone


def uniform_map(num_student: int, num_teacher: int) -> list[int]:
    """Returns ``a(i) = ceil((i + 1) N / M) − 1`` for ``i = 0 … M − 1``: evenly spaced, the last to the last."""
    return [-(-(i + 1) * num_teacher // num_student) - 1 for i in range(num_student)]


def check_layer(key: str, layer: object, num_teacher: int) -> None:
    """Raises ``GraphKDError`` for a number that is no hidden layer of the teacher."""
    if not (is_whole(layer) and 0 <= layer < num_teacher):  # type: ignore[operator]
        count = f"{num_teacher} hidden layer{'s' if num_teacher > 1 else ''}"
        raise GraphKDError(
            f"{key} is {layer!r}, but the teacher has {count}: choose a whole number from 0 to {num_teacher - 1}"
        )


def check_flag(key: str, value: object) -> None:
    """Raises ``GraphKDError`` for a value that is neither true nor false."""
    if not isinstance(value, bool):
        raise GraphKDError(f"{key} is {value!r}: choose true or false")
