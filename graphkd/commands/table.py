"""The table printed at the end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphkd.columns import ColumnEncoding
from graphkd.runs import advice, class_warnings
from graphkd.runs.table import format_table

MOST_LINES = 30
"""Columns of a raw table that are listed."""


def print_table(metrics: dict[str, Any], path: Path) -> None:
    """Prints scores of teacher, plain MLPs and student, the run folder, and advice.

    Advice is printed if a plain MLP is better, and a warning for each class that is never predicted.
    """
    print("\n".join(format_table(metrics)))
    print(f"run folder: {path}")
    for line in advice(metrics):
        print(f"advice: {line}")
    for line in class_warnings(metrics):
        print(f"warning: {line}")


def print_columns(encoding: ColumnEncoding | None, seed: int, several: bool) -> None:
    """Prints what became of every column of a raw table, at most ``MOST_LINES``.

    Args:
        encoding: of the first seed, or ``None``.
        seed: the first one.
        several: whether there are more; their training rows can differ.
    """
    if encoding is None:
        return
    lines = encoding.summary()
    shown = lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more"]
    print(f"columns{f' of seed {seed}' if several else ''}, fitted to {encoding.rows} training rows:")
    for line in shown:
        print(f"  column {line}")
