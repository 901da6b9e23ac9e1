"""Temperatures that are one number in an epoch, and another in the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.calibration.base import Calibration
from graphkd.ranges import check_above_zero, check_counts, check_switches

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.methods import Epoch, Targets


class MovingTemperature(Calibration):
    """``z ← z / T`` of teacher and student in soft losses, with the ``T`` of the epoch; a subclass computes it.

    The teacher's side is folded again before every epoch, which costs one more fold.

    Args:
        first: ``T`` before the first epoch.
        tau_squared: whether a soft loss is multiplied by ``T²``.
    """

    tau_now: Tensor
    weight_now: Tensor

    def __init__(self, first: float, tau_squared: bool) -> None:
        super().__init__()
        check_switches("calibration", tau_squared=tau_squared)
        self._first, self.tau_squared = first, tau_squared

    def temperature(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> float:
        """Returns ``T`` of an epoch; ``tau_now`` is that of the one before.

        Args:
            epoch: that begins.
            targets: all rows.
            teacher: the teacher's own logits ``[N, C]``.
        """
        raise NotImplementedError

    def build(self, graph: Graph) -> None:
        """Registers ``T`` and its square."""
        device = graph.y.device
        self.register_buffer("tau_now", torch.tensor(self._first, dtype=torch.float64, device=device))
        self.register_buffer("weight_now", self.tau_now.square())

    @property
    def weight(self) -> float | Tensor:
        """``T²``, which moves, or 1."""
        return self.weight_now if self.tau_squared else 1.0

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns ``t / T``."""
        return logits / self.tau_now

    def student(self, logits: Tensor) -> Tensor:
        """Returns ``z / T``."""
        return logits / self.tau_now

    def on_epoch_start(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> None:
        """Moves ``T``, and folds the teacher with it."""
        self.tau_now.fill_(self.temperature(epoch, targets, teacher))
        self.weight_now.copy_(self.tau_now.square())
        targets.refold(logits=self.teacher(teacher))


class ScheduledTemperature(MovingTemperature):
    """A ``T`` that moves from ``start`` to ``end`` with the number of the epoch alone; a subclass has its course.

    Args:
        start: temperature of the first epoch, above 0.
        end: temperature from epoch ``epochs`` on, above 0.
        epochs: in which it moves.
        tau_squared: whether a soft loss is multiplied by ``T²``.
    """

    def __init__(self, start: float = 4.0, end: float = 1.0, epochs: int = 100, tau_squared: bool = False) -> None:
        super().__init__(start, tau_squared)
        check_above_zero("calibration", start=start, end=end)
        check_counts("calibration", 1, epochs=epochs)
        self.start, self.end, self.epochs = start, end, int(epochs)

    def at(self, share: float) -> float:
        """Returns ``T`` after a share of the epochs, in [0, 1]."""
        raise NotImplementedError

    def temperature(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> float:
        """Returns ``T``."""
        return self.at(min(epoch.number / self.epochs, 1.0))
