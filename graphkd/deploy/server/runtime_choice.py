"""Which runtime answers, and what the model is called."""

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
"""All but torch."""

NEEDS = {"native": "c", "onnx": "onnx"}
"""Exports of the runtimes that ``auto`` tries before numpy, which needs none."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Of a model: what needs no escape in a path."""


def runtime_of(bundle: Bundle, asked: str) -> str:
    """The runtime that was asked for, or the first one that works of native, onnx and numpy.

    Args:
        bundle: of the student.
        asked: one of ``CHOICES``.

    Raises:
        GraphKDError: another one, or it does not work here.
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
    """The model's name: as asked, or that of the run's folder, or of the bundle's where it is outside a run.

    Raises:
        GraphKDError: a name that would have to be escaped in a path.
    """
    if asked is not None:
        if not NAME.fullmatch(asked):
            raise GraphKDError(f"--name is {asked!r}: give letters, digits, dots, dashes and underscores")
        return asked
    folder = folder.resolve()
    given = folder.parent.name if folder.name == "bundle" else folder.name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", given).lstrip("-._")[:100]
    return plain or "student"


def scores_of(folder: Path) -> dict[str, Any] | None:
    """What the run that holds the bundle scored over its seeds; nothing where the bundle is alone."""
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
