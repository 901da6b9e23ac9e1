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

    >>> balance = BalancedSoftmax(prior="teacher")
    >>> balance.strength, balance.acts_on, balance.reads_teacher
    (1.0, 'label', True)
    """

    name = "balanced_softmax"

    def __init__(self, prior: str = "labels") -> None:
        super().__init__(strength=1.0, prior=prior)
