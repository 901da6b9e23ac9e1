"""Logit adjustment for unbalanced classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from graphkd.balance.base import Balance, check_prior
from graphkd.balance.class_sizes import class_sizes, log_shares
from graphkd.checks import is_real
from graphkd.errors import GraphKDError
from graphkd.students import MLP

if TYPE_CHECKING:
    from graphkd.datasets import Graph


class LogitAdjustment(Balance):
    """``z ← z + strength · log π`` in label losses; or post hoc ``z ← z − strength · log π`` in the answer.

    ``π_c`` is the share of class ``c``. In training the student answers without the shift, so that rare classes
    are named more often. Post hoc the losses stay as they are, and once training is over the shift is subtracted
    from the bias of the student's last layer: it is in the bundle, every runtime and every export, and the final
    scores are of that answer. The epoch that is kept is still chosen by the answer without it. Shares matter up to
    a constant, so that classes of one size change nothing, bit for bit.

    Source: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021

    Args:
        strength: of the shift, above 0; 1 is consistent for the balanced error.
        post_hoc: shift the answer instead of the label loss.
        prior: shares from ``labels`` of training nodes, or the ``teacher``'s mean soft label over all observed
            nodes. A class of less than one node counts as one.

    >>> from dataclasses import replace
    >>> from graphkd.testing.graphs import small_graph
    >>> graph = replace(small_graph(), train=torch.tensor([0, 1, 2, 3]))  # of classes 0, 1, 2, 0
    >>> balance = LogitAdjustment(strength=2.0)
    >>> balance.build(graph, teacher=torch.zeros(60, 3))
    >>> balance.label(torch.zeros(1, 3)).round(decimals=3)
    tensor([[ 0.0000, -1.3860, -1.3860]])
    """

    name = "logit_adjustment"
    shift: Tensor

    def __init__(self, strength: float = 1.0, post_hoc: bool = False, prior: str = "labels") -> None:
        super().__init__()
        if not (is_real(strength) and 0 < strength <= 1e6):
            raise GraphKDError(f"balance.strength is {strength}: it must be a number above 0")
        if not isinstance(post_hoc, bool):
            raise GraphKDError(f"balance.post_hoc is {post_hoc!r}: choose true or false")
        self.strength, self.post_hoc, self.prior = strength, post_hoc, check_prior(prior)

    @property
    def acts_on(self) -> str:
        """The label loss, or the answer."""
        return "answer" if self.post_hoc else "label"

    def build(self, graph: Graph, teacher: Tensor) -> None:
        """Registers ``strength · log π`` up to a constant, 0 for the largest class."""
        shares = log_shares(class_sizes(graph, teacher, self.prior))
        self.register_buffer("shift", self.strength * shares, persistent=False)

    def label(self, logits: Tensor) -> Tensor:
        """Returns shifted logits."""
        return logits + self.shift.to(logits)

    @torch.no_grad()
    def adjust_answer(self, student: nn.Module) -> None:
        """Subtracts the shift from the last bias, if it is post hoc."""
        if self.post_hoc:
            bias = answer_bias(student)
            bias.sub_(self.shift.to(bias))


def answer_bias(student: nn.Module) -> Tensor:
    """Returns the bias that a student's logits end with, ``[C]``.

    Raises:
        GraphKDError: its output is no linear layer's, such as a mixture of several students'.
    """
    bias = student.layers[-1].bias if isinstance(student, MLP) else None
    if not isinstance(bias, Tensor):
        name = getattr(student, "name", type(student).__name__)
        raise GraphKDError(
            f"balance.post_hoc=true shifts the bias of the last layer, which a student that is an {name} does not "
            "end with: leave post_hoc out, or choose a method and a student that ship one MLP"
        )
    return bias
