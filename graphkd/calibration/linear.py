"""A temperature that follows a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.calibration.moving import MovingTemperature
from graphkd.ranges import check_above_zero, check_counts

if TYPE_CHECKING:
    from torch import Tensor

    from graphkd.methods import Epoch, Targets


class LinearTemperature(MovingTemperature):
    """``z ← z / T`` on both sides of soft losses, ``T = start + (end − start) · min(e / epochs, 1)``.

    Source: Jafari et al., Annealing Knowledge Distillation, EACL 2021, which moves the teacher's alone

    Args:
        start: temperature of the first epoch, above 0.
        end: temperature from epoch ``epochs`` on, above 0.
        epochs: in which it moves.
        tau_squared: whether a soft loss is multiplied by ``T²``.

    >>> from graphkd.testing.graphs import small_graph
    >>> calibration = LinearTemperature(start=3.0, tau_squared=True)
    >>> calibration.build(small_graph())
    >>> float(calibration.tau_now), float(calibration.weight)
    (3.0, 9.0)
    """

    name = "linear"

    def __init__(self, start: float = 4.0, end: float = 1.0, epochs: int = 100, tau_squared: bool = False) -> None:
        super().__init__(start, tau_squared)
        check_above_zero("calibration", start=start, end=end)
        check_counts("calibration", 1, epochs=epochs)
        self.start, self.end, self.epochs = start, end, int(epochs)

    def temperature(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> float:
        """Returns ``T``."""
        return self.start + (self.end - self.start) * min(epoch.number / self.epochs, 1.0)
