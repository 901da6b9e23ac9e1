"""A temperature that follows a cosine and the gap between student and teacher."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor

from graphkd.calibration.moving import MovingTemperature
from graphkd.errors import GraphKDError
from graphkd.methods.divergence import kl
from graphkd.ranges import check_above_zero, check_choice, check_shares, check_sizes

if TYPE_CHECKING:
    from graphkd.methods import Epoch, Targets

VARIANTS = ("paper", "monotone")
CAP, FALLBACK = 2.0, 1.35
"""The released rule replaces a scale above the first by the second."""


class DTS(MovingTemperature):
    """``z ← z / T`` on both sides of soft losses, ``T ← momentum · T + (1 − momentum) · clip(T*, least, most)``.

    With ``c = (1 + cos(curve · π · e / E)) / 2`` in epoch ``e`` of at most ``E``:

    - ``paper``: ``T* = tau · c · max(s, 1)``, ``s = d / (d + 1)``, 1.35 in place of an ``s`` above 2 or at
      the pole. ``d = CE_teacher − CE_student`` of the labelled nodes, in nats. The scale is above 1 only where the
      student's loss is more than 1 above the teacher's, and falls as the gap grows. An over-fitted student has no
      such gap: what remains is a clipped cosine.
    - ``monotone``: ``T* = least + (most − least) · c · (1 + gain · g / (1 + g))``, ``g = mean KL(q ‖ p)`` of the
      unlabelled nodes at temperature 1, where the student is not over-fitted. It grows with the gap and has no
      pole. Not published; ``tau`` is the start alone.

    The published rule moves in every step; here ``T`` moves once an epoch, for which the student is evaluated on
    all rows and the teacher folded again.

    Source: Islam et al., Dynamic Temperature Scheduler for Knowledge Distillation (DTS), arXiv:2511.13767, 2025,
        with the constants of the authors' code

    Args:
        variant: ``paper`` or ``monotone``.
        tau: ``T`` before the first epoch, above 0.
        least: the smallest ``T``, above 0.
        most: the largest ``T``, ``least`` or more.
        curve: factor of the cosine's argument.
        gain: of the gap in ``monotone``.
        momentum: of ``T``, in [0, 1).
        tau_squared: whether a soft loss is multiplied by ``T²``, as published.

    >>> from graphkd.testing.graphs import small_graph
    >>> calibration = DTS(variant="monotone", tau=3.0)
    >>> calibration.build(small_graph())
    >>> float(calibration.tau_now), float(calibration.weight)
    (3.0, 9.0)
    """

    name = "dts"

    def __init__(
        self,
        variant: str = "paper",
        tau: float = 4.0,
        least: float = 2.0,
        most: float = 4.0,
        curve: float = 1.0,
        gain: float = 1.0,
        momentum: float = 0.9,
        tau_squared: bool = True,
    ) -> None:
        super().__init__(tau, tau_squared)
        check_choice("calibration", VARIANTS, variant=variant)
        check_above_zero("calibration", tau=tau, least=least, most=most)
        check_sizes("calibration", curve=curve, gain=gain)
        if least > most:
            raise GraphKDError(f"calibration.least is {least}, above calibration.most={most}: exchange them")
        check_shares("calibration", momentum=momentum)
        self.variant, self.tau, self.least, self.most = variant, tau, least, most
        self.curve, self.gain, self.momentum = curve, gain, momentum

    def temperature(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> float:
        """Returns ``T``."""
        share = (1 + math.cos(self.curve * math.pi * epoch.number / epoch.total)) / 2
        student = epoch.logits().to(teacher.device)
        if self.variant == "paper":
            wanted = self.tau * share * scale_of(label_gap(student, teacher, targets))
        else:
            gap = soft_gap(student, teacher, targets)
            wanted = self.least + (self.most - self.least) * share * (1 + self.gain * gap / (1 + gap))
        return self.momentum * float(self.tau_now) + (1 - self.momentum) * min(max(wanted, self.least), self.most)


def scale_of(difference: float) -> float:
    """Returns the published ``max(s, 1)``, ``s = d / (d + 1)``, with 1.35 in place of what is above 2.

    >>> scale_of(-3.0), scale_of(-1.5), scale_of(0.5)
    (1.5, 1.35, 1.0)
    """
    scale = math.inf if difference == -1 else difference / (difference + 1)
    return FALLBACK if scale > CAP else max(scale, 1.0)


def label_gap(student: Tensor, teacher: Tensor, targets: Targets) -> float:
    """Returns ``d``: the teacher's mean cross-entropy on labelled rows less the student's, in float64."""
    rows = targets.labelled.to(teacher.device)
    labels = targets.labels.to(teacher.device)[rows]
    losses = [F.cross_entropy(logits[rows].double(), labels) for logits in (teacher, student)]
    return float(losses[0] - losses[1])


def soft_gap(student: Tensor, teacher: Tensor, targets: Targets) -> float:
    """Returns ``g``: the mean of ``KL(q ‖ p)`` on unlabelled rows, on all where each has a label, in float64."""
    unlabelled = (targets.label_weight == 0).to(teacher.device)
    rows = unlabelled if bool(unlabelled.any()) else ~unlabelled
    divergence = kl(F.log_softmax(teacher[rows].double(), dim=1), student[rows].double(), 1.0)
    return max(float(divergence.mean()), 0.0)
