"""Size and latency of a student's shape, measured before anything is trained."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graphkd.datasets import Preprocessing
from graphkd.deploy import load_bundle, write_bundle
from graphkd.deploy.files import WEIGHTS
from graphkd.encoders import Encoding
from graphkd.errors import GraphKDError
from graphkd.evaluation.latency import latency
from graphkd.students import MLP

SECONDS = 0.05
"""Measured time per shape."""

OTHER_STUDENTS = ("adagmlp", "progmlp", "tined", "tined_plus")
"""Methods whose students are several MLPs, or have layers of other widths."""

Shape = tuple[int, int]
"""Number of linear layers, and width of the hidden ones."""


@dataclass(frozen=True)
class Cost:
    """What a student costs when it is deployed.

    Args:
        kilobytes: of its weights' file, in 1,000 bytes.
        microseconds: median of a prediction for one dense row, in the runtime ``numpy`` on one thread.
    """

    kilobytes: float
    microseconds: float


def costs(shapes: Sequence[Shape], width: int, num_classes: int, task: str = "multiclass") -> dict[Shape, Cost]:
    """Returns the cost of students of each shape, with weights as they are initialised and a batch norm.

    Students with another norm, or with inputs that are less wide, cost less.

    Args:
        shapes: to measure, in turns, so that a busy machine disturbs all alike.
        width: ``D'`` of the student's inputs.
        num_classes: ``C``.
        task: of the labels.
    """
    with tempfile.TemporaryDirectory() as folder:
        models, sizes = {}, {}
        for shape in shapes:
            path = Path(folder) / f"{shape[0]}x{shape[1]}"
            _write(path, shape, width, num_classes, task)
            models[shape] = load_bundle(path, "numpy")
            sizes[shape] = (path / WEIGHTS).stat().st_size / 1000
        row = np.random.default_rng(0).random((1, width), dtype=np.float32)
        calls = {shape: lambda _, model=model: model.predict(row) for shape, model in models.items()}
        times = latency(calls, SECONDS)
    return {shape: Cost(sizes[shape], times[shape].p50) for shape in shapes}


def within(
    measured: dict[Shape, Cost], max_kilobytes: float | None, max_microseconds: float | None
) -> list[Shape]:
    """Returns the shapes within the limits.

    Raises:
        GraphKDError: there is none.
    """
    limits = {"kilobytes": max_kilobytes, "microseconds": max_microseconds}
    for name, limit in limits.items():
        smallest = min(measured, key=lambda shape: getattr(measured[shape], name))
        least = getattr(measured[smallest], name)
        if limit is not None and least > limit:
            flag = {"kilobytes": "--max-kb", "microseconds": "--max-us"}[name]
            raise GraphKDError(
                f"{flag} {limit:g}: the smallest student, {smallest[0]} x {smallest[1]}, has "
                f"{least:.1f} {name}: raise the limit, or set student.hidden_dim to a smaller width"
            )
    kept = [
        shape
        for shape, cost in measured.items()
        if all(limit is None or getattr(cost, name) <= limit for name, limit in limits.items())
    ]
    if not kept:
        raise GraphKDError("no student is within both --max-kb and --max-us: raise one of them")
    return kept


def _write(path: Path, shape: Shape, width: int, num_classes: int, task: str) -> None:
    layers, hidden = shape
    sizes = {"num_features": width, "num_classes": num_classes, "hidden_dim": hidden, "num_layers": layers}
    arguments = {**sizes, "norm": "batch"}
    model = MLP(width, hidden, num_classes, layers, norm="batch")
    write_bundle(path, model, arguments, Preprocessing(), Encoding(), None, {}, task=task)
