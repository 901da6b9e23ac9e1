"""Selection of the runtime, and of the model's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from graphkd.atomic_io import read_json
from graphkd.deploy.files import Bundle
from graphkd.deploy.loading import RUNTIMES, row_predictor
from graphkd.errors import GraphKDError
from graphkd.registry import unknown

AUTO = "auto"
CHOICES = (AUTO, *RUNTIMES[1:])
"""Values of ``--runtime``: all runtimes but torch."""

NEEDS = {"native": "c", "onnx": "onnx"}
"""Runtime → its export, in the order that ``auto`` tries them; numpy, the last, needs none."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Name of a model: characters that need no escape in a path."""


def runtime_of(bundle: Bundle, asked: str) -> str:
    """Returns the requested runtime, or the first usable one of native, onnx and numpy.

    Args:
        bundle: of the student.
        asked: one of ``CHOICES``.

    Raises:
        GraphKDError: the runtime is unknown, or cannot be used on this machine.
    """
    if asked not in CHOICES:
        raise GraphKDError(unknown("runtime", asked, list(CHOICES)))
    if asked != AUTO:
        row_predictor(bundle, asked)
        return asked
    for name in (name for name, export in NEEDS.items() if export in bundle.exports):
        try:
            row_predictor(bundle, name)
        except GraphKDError:  # no compiler, no ONNX Runtime
            continue
        return name
    row_predictor(bundle, "numpy")
    return "numpy"


def name_of(folder: Path, asked: str | None) -> str:
    """Returns the model's name: as requested, or that of the run's folder, or of a bundle outside a run.

    Raises:
        GraphKDError: the name would have to be escaped in a path.
    """
    if asked is not None:
        if not NAME.fullmatch(asked):
            raise GraphKDError(f"--name is {asked!r}: give letters, digits, dots, dashes and underscores")
        return asked
    folder = folder.resolve()
    base = folder.parent.name if folder.name == "bundle" else folder.name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", base).lstrip("-._")[:100]
    return plain or "student"


def scores_of(folder: Path) -> dict[str, Any] | None:
    """Returns the scores, over all seeds, of the run that contains the bundle; None for a bundle without a run."""
    try:
        metrics = read_json(folder.resolve().parent / "metrics.json", "a run")
        return {
            "metric": metrics["metric"],
            "seeds": len(metrics["seeds"]),
            "mean": metrics["mean"],
            "std": metrics["std"],
        }
    except (GraphKDError, KeyError, TypeError):
        return None
