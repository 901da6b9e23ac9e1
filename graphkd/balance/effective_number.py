"""Class weights by effective numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from graphkd.balance.base import Balance
from graphkd.balance.class_sizes import check_beta, effective_number_weights, label_sizes

if TYPE_CHECKING:
    from graphkd.datasets import Graph


class EffectiveNumber(Balance):
    """``mean_v w_{y_v} CE(z_v, y_v)`` as the label loss, ``w_c ∝ (1 − β) / (1 − β^{n_c})`` with a sum of ``C``.

    ``n_c`` is the number of training nodes of class ``c``, ``C`` the number of classes that have one: others have
    no label loss, and weight 0. With classes of one size all weights are 1. The mean is over nodes: it is not
    divided by their weights.

    Source: Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019

    Args:
        beta: ``β``, between 0 and 1; towards 1 a class is weighted by ``1 / n_c``.

    >>> from dataclasses import replace
    >>> import torch
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = replace(small_graph(), train=torch.tensor([0, 1, 2, 3]))  # of classes 0, 1, 2, 0
    >>> balance = EffectiveNumber(beta=0.5)
    >>> balance.build(graph, teacher=torch.zeros(60, 3))
    >>> balance.class_weight().round(decimals=3)
    tensor([0.7500, 1.1250, 1.1250], dtype=torch.float64)
    """

    name = "effective_number"
    weight: Tensor

    def __init__(self, beta: float = 0.9999) -> None:
        super().__init__()
        self.beta = check_beta(beta)

    def build(self, graph: Graph, teacher: Tensor) -> None:
        """Registers the weights."""
        self.register_buffer("weight", effective_number_weights(label_sizes(graph), self.beta), persistent=False)

    def class_weight(self) -> Tensor:
        """Returns ``w [C]``."""
        return self.weight
