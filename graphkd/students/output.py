"""What a student returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class StudentOutput:
    """Logits and what matching needs.

    Args:
        logits: ``[B, C]``.
        hidden: the hidden layers after activation, before dropout: ``num_layers − 1`` tensors ``[B, h]``.
    """

    logits: Tensor
    hidden: list[Tensor]
