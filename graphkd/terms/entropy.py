"""Entropy minimisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.terms.base import Term

if TYPE_CHECKING:
    from graphkd.methods import Targets
    from graphkd.students import StudentOutput


class EntropyMinimization(Term):
    """``mean_v H(softmax(z_v))`` over all nodes, with ``H(p) = −Σ_c p_c log p_c``: predictions become confident.

    The student's logits are read as they are, without temperature or calibration. The paper's mean is over the
    unlabelled examples.

    Source: Grandvalet and Bengio, Semi-supervised Learning by Entropy Minimization, NIPS 2004

    Args:
        weight: of the term, above 0.

    >>> from graphkd.students import StudentOutput
    >>> output = StudentOutput(torch.zeros(2, 4), hidden=[])
    >>> round(float(EntropyMinimization()(output, batch=None)), 4)  # log 4
    1.3863
    """

    name = "entropy"
    reads = ("logits",)
    row_sum = True
    static_step = True
    last_phase = True

    def __init__(self, weight: float = 0.1) -> None:
        super().__init__(weight)

    def forward(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Returns the mean entropy of the rows, in nats."""
        return mean_entropy(output.logits)


def mean_entropy(logits: Tensor) -> Tensor:
    """Returns the mean over rows of the entropy of ``softmax(z)``, ``[B, C]`` → a scalar in [0, log C].

    >>> round(float(mean_entropy(torch.zeros(2, 4))), 4)
    1.3863
    """
    log_p = torch.log_softmax(logits, dim=1)
    return -(log_p.exp() * log_p).sum(dim=1).mean()
