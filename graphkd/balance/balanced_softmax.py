"""Balanced softmax."""

from __future__ import annotations

from graphkd.balance.logit_adjustment import LogitAdjustment


class BalancedSoftmax(LogitAdjustment):
    """``CE(z + log n, y)`` as the label loss, ``n_c`` the size of class ``c``; the student answers with ``z``.

    A likelihood of labels that are drawn with other class shares than answers shall have. It is logit adjustment
    of strength 1 in training, under the name and the setting it was derived in.

    Source: Ren et al., Balanced Meta-Softmax for Long-Tailed Visual Recognition, NeurIPS 2020

    Args:
        prior: sizes from ``labels`` of training nodes, or the ``teacher``'s soft labels, summed over all observed
            nodes. A class of less than one node counts as one.

    >>> from dataclasses import replace
    >>> import torch
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = replace(small_graph(), train=torch.tensor([0, 1, 2, 3]))  # of classes 0, 1, 2, 0
    >>> balance = BalancedSoftmax()
    >>> balance.build(graph, teacher=torch.zeros(60, 3))
    >>> balance.label(torch.zeros(1, 3)).softmax(dim=1).round(decimals=3)
    tensor([[0.5000, 0.2500, 0.2500]])
    """

    name = "balanced_softmax"

    def __init__(self, prior: str = "labels") -> None:
        super().__init__(strength=1.0, prior=prior)
