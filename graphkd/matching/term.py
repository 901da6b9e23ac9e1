"""The matching loss of one student and one teacher."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.matching.base import Matching
from graphkd.matching.distances import DISTANCES
from graphkd.matching.layers import Layers
from graphkd.matching.projections import Projections


class MatchingTerm(nn.Module):
    """A strategy's loss over the layers of one student and one teacher; its parameters train with the student.

    Args:
        matching: strategy, distance and projection; copied.
        student_widths: of the student's hidden layers.
        teacher_widths: of the teacher's hidden hops.

    Raises:
        GraphKDError: there is no layer to match, the strategy cannot match these layers, or widths differ and
            ``projection`` is ``none``.
    """

    def __init__(self, matching: Matching, student_widths: list[int], teacher_widths: list[int]) -> None:
        super().__init__()
        for owner, widths in (("student", student_widths), ("teacher", teacher_widths)):
            if not widths:
                raise GraphKDError(
                    f"matching={matching.name} needs a hidden layer, but the {owner} has none: "
                    f"set {owner}.num_layers to 2 or more (a given teacher: tell its hops), or matching=none"
                )
        self.matching, self.distance = copy.deepcopy(matching), DISTANCES[matching.distance]
        self.matching.build(student_widths, teacher_widths)
        pairs = self.matching.projected(len(student_widths), len(teacher_widths))
        any_width = self.distance.any_width and not matching.one_width
        self.projections = Projections(matching.projection, pairs, student_widths, teacher_widths, any_width)

    @property
    def is_row_sum(self) -> bool:
        """Whether the loss is a mean over rows of terms that depend on that row alone."""
        return self.matching.row_sum and self.distance.row_sum

    @property
    def may_skip_parameters(self) -> bool:
        """Whether a step may leave some parameters unused."""
        depths = map(len, self.projections.widths)
        return len(self.projections.maps) > 1 and self.matching.may_skip_parameters(*depths)

    def on_epoch_start(self, epoch: int) -> None:
        """Calls the strategy's ``on_epoch_start``, which may redraw its pairs."""
        self.matching.on_epoch_start(epoch)

    def project_for(self, layer: Tensor, i: int, j: int) -> Tensor | None:
        """Projects a student layer to the space of a teacher layer, whether the two are matched or not.

        Uses the projection of the pair; else that of student layer ``i`` to the nearest teacher layer which has
        one and is as wide as ``j``, of two the lower; else, where widths agree, none.

        Args:
            layer: ``[B, d_S]`` of the student.
            i: number of the student layer.
            j: number of the teacher layer.

        Returns:
            ``[B, d_j]``, or None where there is no such projection.
        """
        widths = self.projections.widths[1]
        for k in sorted(range(len(widths)), key=lambda k: (abs(k - j), k)):
            projected = self.projections(layer, i, k) if widths[k] == widths[j] else layer
            if projected is not layer:  # the pair has a projection
                return projected
        return layer if layer.shape[1] == widths[j] else None

    def forward(self, hidden: list[Tensor], hops: list[Tensor]) -> Tensor:
        """Computes the loss.

        Args:
            hidden: ``M`` tensors ``[B, d_S]`` of the student.
            hops: ``N`` tensors ``[B, d_T]`` of the frozen teacher, same rows.

        Returns:
            A scalar.
        """
        return self.matching.loss(Layers(hidden, hops, self.distance, self.projections))
