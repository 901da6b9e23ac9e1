"""Correct and Smooth: the teacher's errors on training nodes, and its answers, spread over the graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from graphkd.ranges import check_counts, check_fractions
from graphkd.sparse import SparseMatrix, spmm
from graphkd.transforms.base import Fitted, Transform
from graphkd.transforms.distributions import to_logits, training_labels

if TYPE_CHECKING:
    from torch import Tensor

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class CorrectAndSmooth(Transform):
    """``Z = softmax(t / τ)`` is corrected by ``Z + Ê``, and ``T`` is that, smoothed with the training labels.

    With ``S = D^-1/2 A D^-1/2`` and ``spread(X, a)`` for ``hops`` times ``X ← a S X + (1 − a) X^0``:

    1. ``E`` has ``y_v − Z_v`` in the rows of training nodes, zeros elsewhere; ``Ẽ = spread(E, correction)``.
    2. Autoscale: ``Ê_v = σ Ẽ_v / ‖Ẽ_v‖₁``, ``σ = mean_{v training} ‖E_v‖₁``; 0 for a node that no error reaches.
    3. ``H`` has the labels of training nodes, ``Z_v + Ê_v`` elsewhere; ``T = spread(H, smoothing)``.

    Negative entries of ``T`` become 0 and rows are scaled to sum to 1; a row without a positive entry keeps the
    teacher's distribution. ``2 hops`` sparse products ``|A| C``, once, in float64.

    Source: Huang et al., Combining Label Propagation and Simple Models Out-performs Graph Neural Networks,
        ICLR 2021

    Args:
        correction: ``a`` of the errors, in [0, 1].
        smoothing: ``a`` of the answers, in [0, 1].
        hops: products of each.

    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> teacher = CorrectAndSmooth(smoothing=0.5)(graph, TeacherOutput(torch.zeros(60, 3)), tau=1.0)
    >>> bool((teacher.logits[graph.train].argmax(dim=1) == graph.y[graph.train]).all())
    True
    """

    name = "correct_and_smooth"

    def __init__(self, correction: float = 0.8, smoothing: float = 0.8, hops: int = 50) -> None:
        check_fractions("transform", correction=correction, smoothing=smoothing)
        check_counts("transform", 0, hops=hops)
        self.correction, self.smoothing, self.hops = correction, smoothing, int(hops)

    def __call__(
        self, graph: Graph, teacher: TeacherOutput, tau: float, fitted: Fitted | None = None
    ) -> TeacherOutput:
        """Returns the corrected and smoothed teacher; reads labels of training nodes alone."""
        known, labels = torch.softmax(teacher.logits.double() / tau, dim=1), training_labels(graph)
        operator = graph.adj.normalize("symmetric", self_loops=0, dtype=torch.float64)
        errors = torch.zeros_like(known)
        errors[graph.train] = labels - known[graph.train]
        sigma = errors[graph.train].abs().sum(dim=1).mean()
        spread = self._spread(operator, errors, self.correction)
        size = spread.abs().sum(dim=1, keepdim=True)
        answers = known + sigma * spread / torch.where(size > 0, size, torch.ones_like(size))
        answers[graph.train] = labels
        smooth = self._spread(operator, answers, self.smoothing).clamp_min(0)
        total = smooth.sum(dim=1, keepdim=True)
        mixed = torch.where(total > 0, smooth / total.clamp_min(torch.finfo(total.dtype).tiny), known)
        return replace(teacher, logits=to_logits(mixed, tau, teacher.logits.dtype))

    def _spread(self, operator: SparseMatrix, start: Tensor, share: float) -> Tensor:
        """Computes ``X ← share S X + (1 − share) X^0``, ``hops`` times."""
        table = start
        for _ in range(self.hops):
            table = share * spmm(operator, table) + (1 - share) * start
        return table
