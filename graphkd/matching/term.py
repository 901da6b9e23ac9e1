"""The matching loss of one student and one teacher."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.matching.base import Matching
from graphkd.matching.distances import DISTANCES
from graphkd.matching.layers import Layers
from graphkd.matching.projections import Projections
from graphkd.terms.base import Term

if TYPE_CHECKING:
    from graphkd.methods import Epoch, Targets
    from graphkd.students import StudentOutput


class MatchingTerm(Term):
    """A strategy's loss over the layers of one student and one teacher; its parameters train with the student.

    Args:
        matching: strategy, distance, projection and weight; copied.

    >>> import torch
    >>> from graphkd.matching import Last
    >>> from graphkd.methods import Targets
    >>> from graphkd.students import StudentOutput
    >>> term = MatchingTerm.of(Last(distance="mse"), student_widths=[4], teacher_widths=[4, 4])
    >>> batch = Targets(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64), torch.zeros(2))
    >>> batch = batch.with_hops([torch.zeros(2, 4), torch.ones(2, 4)])
    >>> float(term(StudentOutput(torch.zeros(2, 3), hidden=[torch.zeros(2, 4)]), batch))
    1.0
    """

    reads = ("hidden", "hops")
    projections: Projections

    def __init__(self, matching: Matching) -> None:
        super().__init__(matching.weight, matching.lr)
        self.name = "matching"  # type: ignore[misc]  # not of the class, which is no strategy to choose
        self.matching, self.distance = copy.deepcopy(matching), DISTANCES[matching.distance]

    @classmethod
    def of(cls, matching: Matching, student_widths: list[int], teacher_widths: list[int]) -> MatchingTerm:
        """Returns a term that is built for layers of these widths.

        Args:
            matching: strategy, distance, projection and weight; copied.
            student_widths: of the student's hidden layers.
            teacher_widths: of the teacher's hidden hops.

        Raises:
            GraphKDError: as ``build``.
        """
        term = cls(matching)
        term._build(student_widths, teacher_widths)
        return term

    def build(self, student_widths: list[int], targets: Targets) -> None:
        """Builds the strategy and its projections.

        Args:
            student_widths: of the student's hidden layers.
            targets: with the teacher's hidden hops.

        Raises:
            GraphKDError: there is no layer to match, the strategy cannot match these layers, or widths differ and
                ``projection`` is ``none``.
        """
        self._build(student_widths, [hop.shape[1] for hop in targets.hops])

    def _build(self, student_widths: list[int], teacher_widths: list[int]) -> None:
        matching = self.matching
        for owner, widths in (("student", student_widths), ("teacher", teacher_widths)):
            if not widths:
                raise GraphKDError(
                    f"matching={matching.name} needs a hidden layer, but the {owner} has none: "
                    f"set {owner}.num_layers to 2 or more (a given teacher: give its hops as well), or "
                    "matching=none"
                )
        matching.build(student_widths, teacher_widths)
        pairs = matching.projected(len(student_widths), len(teacher_widths))
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

    @property
    def is_static(self) -> bool:
        """Whether a CUDA graph can hold it, as the strategy states."""
        return self.matching.is_static

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Calls the strategy's ``on_epoch_start``, which may redraw its pairs."""
        self.matching.on_epoch_start(epoch.number)

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

    def forward(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Computes the loss of the student's hidden layers and the teacher's hops, a scalar."""
        return self.loss(output.hidden, batch.hops)

    def loss(self, hidden: list[Tensor], hops: list[Tensor]) -> Tensor:
        """Computes the loss.

        Args:
            hidden: ``M`` tensors ``[B, d_S]`` of the student.
            hops: ``N`` tensors ``[B, d_T]`` of the frozen teacher, same rows.

        Returns:
            A scalar.
        """
        return self.matching.loss(Layers(hidden, hops, self.distance, self.projections))
