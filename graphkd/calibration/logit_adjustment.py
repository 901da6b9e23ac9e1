"""Logit adjustment for unbalanced classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.calibration.base import Calibration
from graphkd.checks import is_real
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.datasets import Graph


class LogitAdjustment(Calibration):
    """``z ← z + strength · log π`` in label losses, with the share ``π_c`` of class ``c`` among training nodes.

    The student answers without the shift, so that rare classes are named more often. A class without a training
    node counts as one node.

    Source: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021

    Args:
        strength: of the shift, 0 or more; 1 is consistent for the balanced error.
    """

    name = "logit_adjustment"
    soft = False
    shift: Tensor

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        if not (is_real(strength) and 0 <= strength <= 1e6):
            raise GraphKDError(f"calibration.strength is {strength}: it must be a number, 0 or more")
        self.strength = strength

    def build(self, graph: Graph) -> None:
        """Registers the logarithms of the class shares."""
        counts = torch.bincount(graph.y[graph.train], minlength=graph.num_classes).double().clamp_min(1)
        self.register_buffer("shift", self.strength * (counts / counts.sum()).log())

    def label(self, logits: Tensor) -> Tensor:
        """Returns shifted logits."""
        return logits + self.shift.to(logits.dtype)
