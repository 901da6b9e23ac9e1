"""The student without a teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.methods.base import Method
from graphkd.methods.targets import Targets, mean_over

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class MLP(Method):
    """``mean CE(z_v, y_v)`` over the labelled nodes: the plainly trained MLP every table needs.

    Source: the baseline; no paper
    """

    name = "mlp"
    has_teacher = False

    def __init__(self) -> None:
        super().__init__(lam=1.0, tau=1.0)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Labels only; the teacher is not read."""
        return Targets(graph.x, graph.y, mean_over(graph.train, graph.num_nodes))
