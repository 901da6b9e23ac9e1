"""A temperature that follows half a cosine."""

from __future__ import annotations

import math

from graphkd.calibration.moving import ScheduledTemperature


class CosineTemperature(ScheduledTemperature):
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

    def at(self, share: float) -> float:
        """Returns ``T`` after a share of the epochs."""
        return self.end + (self.start - self.end) * ((1 + math.cos(math.pi * share)) / 2)
