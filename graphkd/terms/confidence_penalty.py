"""The confidence penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from graphkd.terms.base import Term
from graphkd.terms.entropy import mean_entropy

if TYPE_CHECKING:
    from graphkd.methods import Targets
    from graphkd.students import StudentOutput


class ConfidencePenalty(Term):
    """``−mean_v H(softmax(z_v))`` over all nodes: the negative of ``entropy``, against overconfident predictions.

    Source: Pereyra et al., Regularizing Neural Networks by Penalizing Confident Output Distributions, workshop of
    ICLR 2017

    Args:
        weight: of the term, above 0; the paper's β.

    >>> import torch
    >>> from graphkd.students import StudentOutput
    >>> output = StudentOutput(torch.zeros(2, 4), hidden=[])
    >>> round(float(ConfidencePenalty()(output, batch=None)), 4)  # −log 4
    -1.3863
    """

    name = "confidence_penalty"
    reads = ("logits",)
    row_sum = True
    static_step = True
    last_phase = True

    def __init__(self, weight: float = 0.1) -> None:
        super().__init__(weight)

    def forward(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Returns the negative mean entropy of the rows, in nats."""
        return -mean_entropy(output.logits)
