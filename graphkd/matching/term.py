"""The matching loss of one student and one teacher."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.matching.base import Matching
from graphkd.matching.distances import DISTANCES


class MatchingTerm(nn.Module):
    """``mean over pairs of distance(P_ij h_i, t_j)``; the projections train with the student.

    Args:
        matching: strategy, distance and projection.
        student_widths: of the student's hidden layers.
        teacher_widths: of the teacher's hidden hops.

    Raises:
        GraphKDError: there is no layer to match, or widths differ and ``projection`` is ``none``.
    """

    def __init__(self, matching: Matching, student_widths: list[int], teacher_widths: list[int]) -> None:
        super().__init__()
        for owner, widths in (("student", student_widths), ("teacher", teacher_widths)):
            if not widths:
                raise GraphKDError(
                    f"matching={matching.name} needs a hidden layer, but the {owner} has none: "
                    f"set {owner}.num_layers to 2 or more (a given teacher: tell its hops), or matching=none"
                )
        self.pairs = matching.pairs(len(student_widths), len(teacher_widths))
        self.distance = DISTANCES[matching.distance]
        self.projections = nn.ModuleList(
            _projection(matching, student_widths[i], teacher_widths[j]) for i, j in self.pairs
        )

    def forward(self, hidden: list[Tensor], hops: list[Tensor]) -> Tensor:
        """The loss.

        Args:
            hidden: ``M`` tensors ``[B, d_S]`` of the student.
            hops: ``N`` tensors ``[B, d_T]`` of the frozen teacher, same rows.

        Returns:
            A scalar.
        """
        losses = [
            self.distance(project(hidden[i]), hops[j])
            for (i, j), project in zip(self.pairs, self.projections, strict=True)
        ]
        return torch.stack(losses).mean()


def _projection(matching: Matching, student_width: int, teacher_width: int) -> nn.Module:
    if student_width == teacher_width:
        return nn.Identity()
    if matching.projection == "none":
        raise GraphKDError(
            f"a student layer has width {student_width}, the teacher's {teacher_width}: "
            "set matching.projection=linear, or equal hidden_dim"
        )
    return nn.Linear(student_width, teacher_width, bias=False)
