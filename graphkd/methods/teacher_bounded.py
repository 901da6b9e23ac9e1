"""Distillation that reads a label only where the student is worse than its teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.checks import LARGEST, is_real
from graphkd.errors import GraphKDError
from graphkd.methods.base import ANY, Method
from graphkd.methods.fold import node_targets
from graphkd.methods.targets import TEACHER, Targets, mean_over

if TYPE_CHECKING:
    from torch import Tensor

    from graphkd.datasets import Graph
    from graphkd.methods.stacked import StackedTargets
    from graphkd.students.output import StudentOutput
    from graphkd.teachers import TeacherOutput


class TeacherBounded(Method):
    """``lam · mean_{v labelled} b_v ℓ(z_v, y_v) + (1 − lam) · mean_v D(t_v, z_v)``.

    ``b_v = 1`` where ``ℓ(z_v, y_v) + margin > ℓ(t_v, y_v)``, else 0: the teacher's error is an upper bound, and a
    student that is better than it by the margin is left alone. ``ℓ`` is the task's label loss, of a regression the
    mean squared error of the standardised targets of a row, and ``D`` its soft loss. The published loss, of a
    regression, adds the bounded term to the unbounded one; the teacher's outputs at all nodes are ours, as in
    GLNN, since most nodes of a graph have no label, and so are the other tasks.

    Source: Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation, NeurIPS 2017 (the
        bound, eq. 4)

    Args:
        lam: share of the labels, above 0.
        tau: temperature of the soft loss.
        margin: how much better than the teacher a row has to be, in units of ``ℓ``; 0 or more.

    >>> TeacherBounded(margin=0.1).tasks
    ('multiclass', 'binary', 'multilabel', 'regression')
    """

    name = "teacher_bounded"
    tasks = ANY
    row_sum = True
    static_step = True
    step_cost = "N C"

    def __init__(self, lam: float = 0.5, tau: float = 1.0, margin: float = 0.0) -> None:
        super().__init__(lam, tau)
        if lam == 0:
            raise GraphKDError("method.lam is 0, which leaves out the labels that are bounded: use method=glnn")
        if not (is_real(margin) and 0 <= margin <= LARGEST):
            raise GraphKDError(f"method.margin is {margin}: it must be a finite number, 0 or more")
        self.margin = margin

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns the teacher's outputs as targets of all rows, and as a table that the bound reads."""
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=node_targets(teacher.logits, self.tau, task=graph.task),
            tables={TEACHER: teacher.logits},
        )

    def loss(self, output: StudentOutput, batch: Targets | StackedTargets) -> dict[str, Tensor]:
        """Returns the bounded label term beside the soft one."""
        assert isinstance(batch, Targets)
        assert batch.soft is not None
        rows, logits = batch.labelled, output.logits
        mine = batch.label_losses(logits.index_select(0, rows), rows)
        bound = batch.label_losses(batch.tables[TEACHER].index_select(0, rows), rows)
        worse = (mine.detach() + self.margin > bound).to(mine.dtype)
        label = batch.scale * (batch.label_weight[rows].to(mine.dtype) * worse * mine).sum()
        return self.weighted(label, soft=batch.soft.loss(logits, batch.scale))
