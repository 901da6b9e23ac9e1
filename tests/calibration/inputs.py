"""Logits and epochs that tests of calibrations share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.calibration import Calibration
from graphkd.datasets import Graph
from graphkd.methods import GLNN, Epoch, Targets
from graphkd.testing.graphs import small_graph
from graphkd.testing.methods import teacher_output

CPU = torch.device("cpu")


def drawn(rows: int = 5, classes: int = 4, seed: int = 0) -> Tensor:
    """Logits in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, classes, generator=generator, dtype=torch.float64)


def epoch(number: int, logits: Callable[[], Tensor] = lambda: torch.zeros(0), total: int = 100) -> Epoch:
    """An epoch whose student answers so."""
    return Epoch(number, total, 0, CPU, logits)


def attached(calibration: Calibration, logits: Tensor | None = None) -> tuple[Graph, Targets, Tensor]:
    """A small graph, GLNN's targets as a step reads them, and the teacher's own logits."""
    graph = small_graph()
    calibration.build(graph)
    raw = teacher_output(graph).logits.double() if logits is None else logits
    output = teacher_output(graph)
    targets = GLNN(lam=0.5).prepare(graph, type(output)(calibration.teacher(raw), output.hops))
    weight = calibration.sender_weight(raw)
    if weight is not None:
        targets.refold(sender_weight=weight)
    return graph, calibration.attach(targets), raw
