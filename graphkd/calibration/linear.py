"""A temperature that follows a line."""

from __future__ import annotations

from graphkd.calibration.moving import ScheduledTemperature


class LinearTemperature(ScheduledTemperature):
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

    def at(self, share: float) -> float:
        """Returns ``T`` after a share of the epochs."""
        return self.start + (self.end - self.start) * share
