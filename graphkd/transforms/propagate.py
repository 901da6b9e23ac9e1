"""P&D: the teacher's distributions, propagated over the graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from graphkd.errors import GraphKDError
from graphkd.ranges import check_counts, check_fractions
from graphkd.sparse import spmm
from graphkd.transforms.base import Fitted, Transform
from graphkd.transforms.distributions import to_logits, training_labels

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class PropagateTeacher(Transform):
    """``T^0 = softmax(t / τ)``, ``T^{k+1} = gamma Ã T^k + (1 − gamma) T^0``, rows scaled to sum to 1.

    ``Ã = D^-1/2 (A + I) D^-1/2``. ``hops`` sparse products ``|A| C``, once. Training labels can take the place of
    their rows before every product.

    Source: Shin and Shin, Propagate & Distill: Towards Effective Graph Learners Using Propagation-Embracing MLPs,
        LoG 2023

    Args:
        gamma: share of the neighbours, in [0, 1].
        hops: products.
        fix_labels: whether rows of training nodes are their one-hot labels, before every product.

    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> teacher = PropagateTeacher(fix_labels=True)(graph, TeacherOutput(torch.zeros(60, 3)), tau=1.0)
    >>> bool((teacher.logits[graph.train].argmax(dim=1) == graph.y[graph.train]).all())
    True
    """

    name = "propagate"

    def __init__(self, gamma: float = 0.9, hops: int = 10, fix_labels: bool = False) -> None:
        check_fractions("transform", gamma=gamma)
        check_counts("transform", 0, hops=hops)
        if not isinstance(fix_labels, bool):
            raise GraphKDError(f"transform.fix_labels is {fix_labels!r}: choose true or false")
        self.gamma, self.hops, self.fix_labels = gamma, int(hops), fix_labels

    def __call__(
        self, graph: Graph, teacher: TeacherOutput, tau: float, fitted: Fitted | None = None
    ) -> TeacherOutput:
        """Returns the propagated teacher, computed in float64."""
        start = torch.softmax(teacher.logits.double() / tau, dim=1)
        if self.fix_labels:
            start[graph.train] = training_labels(graph)
        mixed, operator = start, graph.adj.normalize("symmetric", self_loops=1, dtype=torch.float64)
        for _ in range(self.hops):
            mixed = self.gamma * spmm(operator, mixed) + (1 - self.gamma) * start
            if self.fix_labels:
                mixed[graph.train] = start[graph.train]
        mixed = mixed / mixed.sum(dim=1, keepdim=True)
        return replace(teacher, logits=to_logits(mixed, tau, teacher.logits.dtype))
