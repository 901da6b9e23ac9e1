"""Label propagation, mixed with the teacher or in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from graphkd.ranges import check_counts, check_fractions
from graphkd.sparse import spmm
from graphkd.transforms.base import Fitted, Transform
from graphkd.transforms.distributions import to_logits, training_labels

if TYPE_CHECKING:
    from torch import Tensor

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class LabelPropagation(Transform):
    """``T = (1 − share) softmax(t / τ) + share L``, with ``L`` the training labels spread over the graph.

    ``Y^0`` has the one-hot labels of training nodes, and zeros elsewhere. ``Y^{k+1} = alpha D^-1 A Y^k +
    (1 − alpha) Y^0``, after which training nodes have their labels again. ``L`` is ``Y^hops`` with rows scaled to
    sum to 1; a node that no label has reached keeps the teacher's distribution. ``alpha = 1`` is the source's
    rule, ``share = 1`` takes the teacher's place. ``hops`` sparse products ``|A| C``, once, in float64.

    Source: Zhu and Ghahramani, Learning from Labeled and Unlabeled Data with Label Propagation, technical report
        CMU-CALD-02-107, 2002

    Args:
        share: of the labels, in [0, 1].
        alpha: share of the neighbours in a hop, in [0, 1].
        hops: products.

    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> teacher = LabelPropagation(share=0.5)(graph, TeacherOutput(torch.zeros(60, 3)), tau=1.0)
    >>> bool((teacher.logits[graph.train].argmax(dim=1) == graph.y[graph.train]).all())
    True
    """

    name = "label_propagation"

    def __init__(self, share: float = 0.5, alpha: float = 1.0, hops: int = 50) -> None:
        check_fractions("transform", share=share, alpha=alpha)
        check_counts("transform", 0, hops=hops)
        self.share, self.alpha, self.hops = share, alpha, int(hops)

    def __call__(
        self, graph: Graph, teacher: TeacherOutput, tau: float, fitted: Fitted | None = None
    ) -> TeacherOutput:
        """Returns the mixed teacher; reads labels of training nodes alone."""
        known = torch.softmax(teacher.logits.double() / tau, dim=1)
        spread = self._spread(graph, known)
        total = spread.sum(dim=1, keepdim=True)
        spread = torch.where(total > 0, spread / total.clamp_min(torch.finfo(total.dtype).tiny), known)
        mixed = (1 - self.share) * known + self.share * spread
        return replace(teacher, logits=to_logits(mixed, tau, teacher.logits.dtype))

    def _spread(self, graph: Graph, like: Tensor) -> Tensor:
        """Computes ``Y^hops [N, C]``."""
        labels = training_labels(graph)
        start = torch.zeros_like(like)
        start[graph.train] = labels
        spread, operator = start, graph.adj.normalize("row", self_loops=0, dtype=torch.float64)
        for _ in range(self.hops):
            spread = self.alpha * spmm(operator, spread) + (1 - self.alpha) * start
            spread[graph.train] = labels
        return spread
