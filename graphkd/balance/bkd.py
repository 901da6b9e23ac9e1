"""BKD: the teacher's distributions, weighted by classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from graphkd.balance.base import Balance, check_prior
from graphkd.balance.class_sizes import check_beta, class_sizes, effective_number_weights

if TYPE_CHECKING:
    from graphkd.datasets import Graph


class BalancedDistillation(Balance):
    """``q̂_c = w_c q_c / Σ_k w_k q_k`` in place of the teacher's ``q = softmax(t / τ)``.

    ``w_c ∝ (1 − β) / (1 − β^{n_c})`` are weights by effective numbers. Since ``q̂ = softmax((t + τ log w) / τ)``,
    this is a shift of the teacher's logits, the same for every node: it folds like any teacher, and costs nothing
    in training. The label loss stays as it is. The paper's factors ``α τ²`` of the soft loss are the method's
    ``lam`` here. With classes of one size nothing changes, bit for bit. A loss that reads the teacher at another
    temperature ``T`` than the method's ``τ``, such as FF-G2M's low frequencies, sees ``w^{τ/T}``.

    Source: Zhang et al., Balanced Knowledge Distillation for Long-Tailed Learning, Neurocomputing 2023

    Args:
        beta: ``β``, between 0 and 1; towards 1 a class is weighted by ``1 / n_c``.
        prior: sizes ``n_c`` from ``labels`` of training nodes, or the ``teacher``'s soft labels, summed over all
            observed nodes. A class of less than one node counts as one.

    >>> from dataclasses import replace
    >>> import torch
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = replace(small_graph(), train=torch.tensor([0, 1, 2, 3]))  # of classes 0, 1, 2, 0
    >>> balance = BalancedDistillation(beta=0.5)
    >>> balance.build(graph, teacher=torch.zeros(60, 3))
    >>> balance.teacher(torch.zeros(1, 3), tau=1.0).softmax(dim=1).round(decimals=3)
    tensor([[0.2500, 0.3750, 0.3750]])
    """

    name = "bkd"
    shift: Tensor

    def __init__(self, beta: float = 0.9999, prior: str = "labels") -> None:
        super().__init__()
        self.beta, self.prior = check_beta(beta), check_prior(prior)

    @property
    def acts_on(self) -> str:
        """The soft loss."""
        return "soft"

    def build(self, graph: Graph, teacher: Tensor) -> None:
        """Registers ``log w`` up to a constant, 0 for the largest."""
        weight = effective_number_weights(class_sizes(graph, teacher, self.prior), self.beta)
        self.register_buffer("shift", weight.log() - weight.max().log(), persistent=False)

    def teacher(self, logits: Tensor, tau: float) -> Tensor:
        """Returns ``t + τ log w``."""
        return logits + (tau * self.shift).to(logits)
