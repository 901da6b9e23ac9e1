"""A temperature that is learned against the student."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from graphkd.calibration.base import Calibration
from graphkd.checks import is_count, is_real
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.methods import Epoch, Targets


class CurriculumTemperature(Calibration):
    """``z ← z / T`` of teacher and student in soft losses, ``T = least + span · sigmoid(θ)``, one for all nodes.

    ``θ`` climbs the loss that the student descends: its gradient is reversed, times ``λ = strength · (1 − cos(π ·
    min(e / ramp, 1))) / 2`` in epoch ``e``, so that the task becomes harder step by step. The teacher's side is
    folded anew with the ``T`` of every epoch; within an epoch the gradient of ``θ`` comes through the student's
    side. An epoch costs one more fold. No factor ``T²``.

    Source: Li et al., Curriculum Temperature for Knowledge Distillation (CTKD), AAAI 2023, its global temperature

    Args:
        least: the smallest temperature, above 0.
        span: of temperatures above it, 0 or more.
        strength: of the reversed gradient at the end.
        ramp: epochs in which it grows.
    """

    name = "curriculum"
    reversal: Tensor

    def __init__(self, least: float = 1.0, span: float = 2.0, strength: float = 1.0, ramp: int = 50) -> None:
        super().__init__()
        if not (is_real(least) and 0 < least <= 1e6):
            raise GraphKDError(f"calibration.least is {least}: it must be a number above 0")
        for key, value in (("span", span), ("strength", strength)):
            if not (is_real(value) and 0 <= value <= 1e6):
                raise GraphKDError(f"calibration.{key} is {value}: it must be a number, 0 or more")
        if not (is_count(ramp) and ramp >= 1):
            raise GraphKDError(f"calibration.ramp is {ramp}: it must be a whole number, 1 or more")
        self.least, self.span, self.strength, self.ramp = least, span, strength, int(ramp)

    def build(self, graph: Graph) -> None:
        """Registers ``θ`` and the factor of its gradient."""
        device = graph.y.device
        self.theta = nn.Parameter(torch.zeros((), device=device))
        self.register_buffer("reversal", torch.zeros((), device=device))

    @property
    def temperature(self) -> Tensor:
        """``T``, a scalar; 1 before ``build``."""
        return self.least + self.span * torch.sigmoid(self.theta)

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns ``z / T`` with the ``T`` of the start, which ``build`` and the first epoch agree on."""
        start = self.temperature.detach() if hasattr(self, "theta") else self.least + self.span / 2
        return logits / start

    def student(self, logits: Tensor) -> Tensor:
        """Returns ``z / T``, through which ``θ`` gets its reversed gradient."""
        reversed_: Tensor = _Reversed.apply(self.temperature, self.reversal)  # type: ignore[no-untyped-call]
        return logits / reversed_.to(logits.dtype)

    def on_epoch_start(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> None:
        """Sets the gradient's factor, and folds the teacher at the temperature of this epoch."""
        grown = min(epoch.number / self.ramp, 1.0)
        self.reversal.fill_(self.strength * (1 - math.cos(math.pi * grown)) / 2)
        targets.refold(logits=self.teacher(teacher))


class _Reversed(torch.autograd.Function):
    """The identity, whose gradient is turned around and scaled."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(scale)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (scale,) = ctx.saved_tensors
        return -scale * grads[0], None
