"""A temperature that follows half a cosine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphkd.calibration.moving import MovingTemperature
from graphkd.ranges import check_above_zero, check_counts

if TYPE_CHECKING:
    from torch import Tensor

    from graphkd.methods import Epoch, Targets


class CosineTemperature(MovingTemperature):
    """``z ← z / T`` on both sides of soft losses, ``T = end + (start − end) (1 + cos(π min(e / epochs, 1))) / 2``.

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, whose rule for learning rates it is, without restarts

    Args:
        start: temperature of the first epoch, above 0.
        end: temperature from epoch ``epochs`` on, above 0.
        epochs: in which it moves.
        tau_squared: whether a soft loss is multiplied by ``T²``.

    >>> import torch
    >>> from graphkd.testing.graphs import small_graph
    >>> calibration = CosineTemperature(start=4.0)
    >>> calibration.build(small_graph())
    >>> calibration.teacher(torch.tensor([[4.0, 0.0]]))
    tensor([[1., 0.]])
    """

    name = "cosine"

    def __init__(self, start: float = 4.0, end: float = 1.0, epochs: int = 100, tau_squared: bool = False) -> None:
        super().__init__(start, tau_squared)
        check_above_zero("calibration", start=start, end=end)
        check_counts("calibration", 1, epochs=epochs)
        self.start, self.end, self.epochs = start, end, int(epochs)

    def temperature(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> float:
        """Returns ``T``."""
        share = (1 + math.cos(math.pi * min(epoch.number / self.epochs, 1.0))) / 2
        return self.end + (self.start - self.end) * share
