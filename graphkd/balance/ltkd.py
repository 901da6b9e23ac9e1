"""LTKD: distillation between groups of classes, balanced, and within each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.balance.base import Balance, check_prior
from graphkd.balance.class_sizes import class_sizes
from graphkd.errors import GraphKDError
from graphkd.methods.class_groups import ClassGroups, grouped
from graphkd.ranges import check_sizes

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.methods import Targets


class LongTailDistillation(Balance):
    """``alpha · KL(q̂_G ‖ p_G) + beta · Σ_G KL(q̃_G ‖ p̃_G)`` in place of ``KL(q ‖ p)``.

    Classes are sorted by size into head, medium and tail ``G``: a third each, rounded, the rest is medium. With
    the teacher's ``q = softmax(t / τ)`` and the student's ``p``, ``q_G = Σ_{c ∈ G} q_c`` is a group's probability
    and ``q̃_{G,c} = q_c / q_G`` the distribution within it. ``q̂_G ∝ r_G q_G`` with ``r_G = mean_H(B_H) / B_G`` and
    ``B_G = Σ_v q_{G,v}``, so that no group dominates. ``KL(q ‖ p)`` itself would be the same with ``q_G`` in place
    of ``q̂_G``, and ``q_G`` as the weight of a group's second term.

    It folds: per node the loss is ``const − Σ_G [alpha q̂_G log p_G + beta Σ_c q̃_{G,c} log p̃_{G,c}]``, linear in
    ``q̂_G`` and ``q̃_{G,c}``, which are frozen. A weighted sum over edges is one of such terms with the sums of
    ``q̂`` and ``q̃`` over the edges: a table of ``C + 3`` columns, whose column blocks are folded as a method folds
    its ``C`` columns. A softmax over the columns of a group is ``q̃_G``, for the student as for the teacher.

    This is a reconstruction from the paper's description: there is no released code, the normalisation of ``r``
    and the published ``alpha`` and ``beta`` were not found. ``B`` is summed over all observed nodes, not over a
    batch. The paper's factor ``τ²`` is the method's ``lam`` here. Groups of classes of equal size are in the order
    of their numbers. A step of the soft loss takes about thirteen times as long as that of one table (50,000 rows
    of 40 classes on one core: 0.10 s against 0.008 s). Methods without folded soft targets (AdaGMLP) are refused.

    Source: Distilling Balanced Knowledge from a Biased Teacher (LTKD), CVPR 2026, arXiv 2506.18496; reconstructed

    Args:
        alpha: weight between groups, 0 or more.
        beta: weight within groups, 0 or more.
        prior: sizes from ``labels`` of training nodes, or the ``teacher``'s soft labels, summed over all observed
            nodes. A class of less than one node counts as one.

    >>> import torch
    >>> from graphkd.testing.graphs import small_graph
    >>> balance, graph = LongTailDistillation(), small_graph(num_classes=5)
    >>> balance.build(graph, torch.zeros(graph.num_nodes, graph.num_classes))
    >>> [classes.tolist() for classes in balance.groups()]
    [[0, 1], [2], [3, 4]]
    """

    name = "ltkd"
    order: Tensor

    def __init__(self, alpha: float = 1.0, beta: float = 1.0, prior: str = "labels") -> None:
        super().__init__()
        check_sizes("balance", alpha=alpha, beta=beta)
        if alpha == 0 and beta == 0:
            raise GraphKDError("balance.alpha and beta are 0, so that nothing is distilled: set one above 0")
        self.alpha, self.beta, self.prior = alpha, beta, check_prior(prior)

    @property
    def acts_on(self) -> str:
        """The soft loss."""
        return "soft"

    def build(self, graph: Graph, teacher: Tensor) -> None:
        """Registers the classes, the largest first."""
        sizes = class_sizes(graph, teacher, self.prior)
        self.register_buffer("order", sizes.argsort(descending=True, stable=True), persistent=False)

    def fold(self, targets: Targets) -> Targets:
        """Returns targets whose soft losses are those between and within groups.

        Raises:
            GraphKDError: the method folds no soft targets.
        """
        if targets.soft is None:
            raise GraphKDError(
                "balance=ltkd takes folded soft targets apart, and this method folds none: choose "
                "balance=bkd, or leave balance out"
            )
        return replace(targets, soft=grouped(targets.soft, ClassGroups(self.groups(), self.alpha, self.beta)))

    def groups(self) -> tuple[Tensor, ...]:
        """Returns the classes of head, medium and tail, those that have any."""
        classes = self.order.numel()
        third = int(classes / 3 + 0.5)
        parts = torch.split(self.order, [third, classes - 2 * third, third])
        return tuple(part.sort().values for part in parts if part.numel())
