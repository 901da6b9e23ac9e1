"""The student without a teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.methods.base import ANY, Method
from graphkd.methods.targets import Targets, mean_over

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class MLP(Method):
    """``mean CE(z_v, y_v)`` over the labelled nodes: the MLP trained without distillation, the baseline.

    It has no teacher, but can read any inputs: raw rows by default, as GLNN's student does; with
    ``encoder=propagated`` those of InfGraND's, for which it is the fair baseline.

    Source: the baseline; no paper. Propagated rows for a model without message passing: Wu et al., Simplifying
    Graph Convolutional Networks, ICML 2019

    >>> import torch
    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> targets = MLP().prepare(small_graph(), TeacherOutput(torch.zeros(60, 3), hops=[]))
    >>> targets.labelled.numel(), targets.soft is None
    (21, True)
    """

    name = "mlp"
    tasks = ANY
    has_teacher = False
    step_cost = "labelled nodes x C"

    def __init__(self) -> None:
        super().__init__(lam=1.0, tau=1.0)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns inputs and labels; the teacher is not read."""
        return Targets(inputs=graph.inputs, labels=graph.y, label_weight=mean_over(graph.train, graph.num_nodes))
