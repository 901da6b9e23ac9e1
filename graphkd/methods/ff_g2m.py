"""FF-G2M: low frequencies from neighbours' teachers, high ones from differences along edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor

from graphkd.methods.base import Method, Student
from graphkd.methods.fold import edge_targets, mean_of
from graphkd.methods.targets import TEACHER, Targets, mean_over

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class FFG2M(Method):
    """``lam · mean_{v labelled} CE(z_v, y_v) + (1 − lam) · (L_low + L_high)``.

    ``L_low = mean_{(i, j) in A°} KL(softmax(t_j) ‖ softmax(z_i))`` over the edges with a self-loop per node; it is
    folded once. ``L_high = mean_{(i, j) in A} KL(softmax(|t_i − t_j| / tau) ‖ softmax(|z_i − z_j| / tau))`` over
    the edges without self-loops: it reads the student at both ends, in every step, ``O(|A| C)``. A batch has its
    rows' edges and its neighbours' inputs; its loss is an unbiased estimate. No factor τ². Defaults are the
    published Cora cell's (SAGE, transductive).

    Source: Wu et al., Extracting Low-/High-Frequency Knowledge from Graph Neural Networks and Injecting it into
        MLPs (FF-G2M), AAAI 2023

    Args:
        lam: share of the labels.
        tau: temperature of ``L_high``; that of ``L_low`` is 1.

    >>> import torch
    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> targets = FFG2M().prepare(graph, TeacherOutput(torch.zeros(60, 3)))
    >>> targets.edges.nnz == graph.adj.structure(self_loops=0).nnz, targets.soft.table.shape
    (True, torch.Size([60, 3]))
    """

    name = "ff_g2m"
    live_edges = True
    step_cost = "E C"
    folds_edges = True

    def __init__(self, lam: float = 0.5, tau: float = 1.3) -> None:
        super().__init__(lam, tau)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, the folded low frequencies, and the edges and logits of the high ones."""
        pattern = graph.adj.structure(self_loops=1)
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=edge_targets(teacher.logits, mean_of(pattern), 1.0),
            tables={TEACHER: teacher.logits},
            edges=mean_of(pattern.filter(pattern.row != pattern.col)),
            neighbours=(TEACHER,),
        )

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label``, ``low`` and ``high``."""
        output = student(batch.inputs)
        logits = batch.own_output(output).logits
        assert batch.soft is not None
        mine, theirs, weight = batch.ends(batch.soft_logits(output.logits))
        teacher, sender, _ = batch.ends(batch.tables[TEACHER])
        target = F.softmax((teacher - sender).abs() / self.tau, dim=1)
        log_p = F.log_softmax((mine - theirs).abs() / self.tau, dim=1)
        high = F.kl_div(log_p, target, reduction="none").sum(dim=1)
        return self.weighted(
            batch.label_loss(logits),
            low=batch.soft.loss(logits, batch.scale),
            high=batch.scale * (weight.to(high.dtype) * high).sum(),
        )
