"""A temperature that is learned against the student."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from graphkd.calibration.base import Calibration
from graphkd.ranges import check_above_zero, check_counts, check_sizes, check_switches

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.methods import Epoch, Targets

HIDDEN = 16
"""Width of the network that computes a temperature per node."""


class CTKD(Calibration):
    """``z ← z / T`` of teacher and student in soft losses, ``T = least + span · sigmoid(θ)``.

    ``θ`` is one number for all nodes or, ``per_sample``, ``θ_i = MLP([softmax(t_i) ‖ softmax(z_i)])`` of every
    node, with one hidden layer of 16 units and the student of the epoch's start. It climbs the loss that the
    student descends: its gradient is reversed, times ``λ = strength · (1 − cos(π · min(e / ramp, 1))) / 2`` in
    epoch ``e``, so that the task becomes harder step by step. The teacher's side is folded anew with the ``T``
    of every epoch; within an epoch the gradient of ``θ`` comes through the student's side. An epoch costs one
    more fold. No factor ``T²``. Temperatures per node are refused for targets that mix nodes.

    Source: Li et al., Curriculum Temperature for Knowledge Distillation (CTKD), AAAI 2023

    Args:
        least: the smallest temperature, above 0.
        span: of temperatures above it, 0 or more.
        strength: of the reversed gradient at the end.
        ramp: epochs in which it grows.
        per_sample: whether every node has a temperature of its own.

    >>> from graphkd.testing.graphs import small_graph
    >>> calibration = CTKD(least=1.0, span=2.0)
    >>> calibration.build(small_graph())
    >>> calibration.student(torch.tensor([[4.0, 0.0]])).detach()
    tensor([[2., 0.]])
    """

    name = "ctkd"
    reversal: Tensor

    def __init__(
        self,
        least: float = 1.0,
        span: float = 2.0,
        strength: float = 1.0,
        ramp: int = 50,
        per_sample: bool = False,
    ) -> None:
        super().__init__()
        check_above_zero("calibration", least=least)
        check_sizes("calibration", span=span, strength=strength)
        check_counts("calibration", 1, ramp=ramp)
        check_switches("calibration", per_sample=per_sample)
        self.least, self.span, self.strength, self.ramp = least, span, strength, int(ramp)
        self.per_sample = per_sample

    @property
    def per_row(self) -> bool:
        """``per_sample``."""
        return self.per_sample

    def build(self, graph: Graph) -> None:
        """Registers ``θ``, or the network that computes it, and the factor of its gradient."""
        device = graph.y.device
        if self.per_sample:
            self.network = nn.Sequential(nn.Linear(2 * graph.num_classes, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
            for parameter in self.network[2].parameters():
                nn.init.zeros_(parameter)  # all nodes start with the temperature of the global rule
            self.network.to(device)
        else:
            self.theta = nn.Parameter(torch.zeros((), device=device))
        self.register_buffer("reversal", torch.zeros((), device=device))

    @property
    def temperature(self) -> Tensor:
        """The ``T`` of all nodes, a scalar."""
        return self.least + self.span * torch.sigmoid(self.theta)

    def temperatures(self, rows: Tensor) -> Tensor:
        """Returns ``T`` of every row, ``[B, 1]``, where ``per_sample``.

        Args:
            rows: ``[softmax(t) ‖ softmax(z)]``, ``[B, 2 C]``.
        """
        return self.least + self.span * torch.sigmoid(self.network(rows.to(self.reversal.dtype)))

    def row_table(self, targets: Targets) -> Tensor:
        """Returns a table for the distributions of both sides, ``[N, 2 C]``."""
        assert targets.soft is not None
        return torch.cat([targets.soft.table, targets.soft.table], dim=1)

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns ``z / T`` with the ``T`` of now, where ``per_sample`` that of the start."""
        return logits / (self.least + self.span / 2 if self.per_sample else self.temperature.detach())

    def student(self, logits: Tensor) -> Tensor:
        """Returns ``z / T``, through which ``θ`` gets its reversed gradient."""
        return logits / self._reversed(self.temperature).to(logits.dtype)

    def student_per_row(self, logits: Tensor, rows: Tensor) -> Tensor:
        """Returns ``z / T`` with the ``T`` of every row, through which the network gets its reversed gradient."""
        return logits / self._reversed(self.temperatures(rows)).to(logits.dtype)

    def on_epoch_start(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> None:
        """Sets the gradient's factor, and folds the teacher at the temperatures of this epoch."""
        grown = min(epoch.number / self.ramp, 1.0)
        self.reversal.fill_(self.strength * (1 - math.cos(math.pi * grown)) / 2)
        if not self.per_sample:
            targets.refold(logits=self.teacher(teacher))
            return
        assert targets.soft is not None
        rows = targets.soft.adjust_rows
        assert rows is not None
        sides = (teacher, epoch.logits().to(teacher.device))
        rows.copy_(torch.cat([torch.softmax(logits, dim=1) for logits in sides], dim=1))
        targets.refold(logits=teacher / self.temperatures(rows))

    def _reversed(self, temperature: Tensor) -> Tensor:
        result: Tensor = _Reversed.apply(temperature, self.reversal)  # type: ignore[no-untyped-call]
        return result


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
