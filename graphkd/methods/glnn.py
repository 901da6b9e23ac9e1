"""Graph-less neural networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.methods.base import ANY, Method
from graphkd.methods.fold import node_targets
from graphkd.methods.targets import Targets, mean_over

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class GLNN(Method):
    """``lam · mean_{v labelled} CE(z_v, y_v) + (1 − lam) · mean_v KL(softmax(t_v/τ) ‖ softmax(z_v/τ))``.

    All nodes are distilled, test nodes too (their labels stay hidden). No factor τ².

    Source: Zhang et al., Graph-less Neural Networks: Teaching Old MLPs New Tricks via Distillation, ICLR 2022

    Args:
        lam: share of the labels; the paper and its code use 0.
        tau: temperature.

    >>> import torch
    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> targets = GLNN(tau=2.0).prepare(small_graph(), TeacherOutput(torch.zeros(60, 3), hops=[]))
    >>> targets.soft.table.shape, targets.labelled.numel()
    (torch.Size([60, 3]), 21)
    """

    name = "glnn"
    tasks = ANY

    def __init__(self, lam: float = 0.0, tau: float = 1.0) -> None:
        super().__init__(lam, tau)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features as inputs and the teacher's distributions, divided by ``N``, as targets."""
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=node_targets(teacher.logits, self.tau, task=graph.task),
        )
