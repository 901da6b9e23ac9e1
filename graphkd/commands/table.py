"""The table printed at the end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphkd.columns import ColumnEncoding
from graphkd.reports.figures import percent
from graphkd.runs import PLAIN, advice, class_warnings, selected

COLUMNS = {"val": "val %", "test": "test %", "test_ind": "hidden test %", "test_tran": "visible test %"}
"""Scores of a model, in the order of the table."""


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


def method_of(metrics: dict[str, Any]) -> str:
    """Returns the method of a run, and its matching, and all that is added to it."""
    added = [metrics.get(key, "none") for key in ("matching", "transform", "calibration", "balance", "term")]
    return " + ".join([metrics["method"], *(name for name in added if name != "none")])


def count_of(metrics: dict[str, Any]) -> str:
    """Formats the number of seeds of a run, such as ``5 seeds``."""
    count = len(metrics["seeds"])
    return f"{count} seed{'s' if count > 1 else ''}"


def format_table(metrics: dict[str, Any]) -> list[str]:
    """Formats the lines of the table.

    Args:
        metrics: contents of ``metrics.json``.

    Returns:
        A heading, a line of column names and a line per model: its inputs at inference, and mean ± population
        standard deviation. Where nodes were hidden, hidden and visible test nodes have separate columns; so has
        another metric that validation selects on.
    """
    seeds, reads = metrics["seeds"], metrics.get("reads", {})
    facts = (metrics["dataset"], f"{metrics['split']} split", metrics["setting"], metrics["metric"])
    rows = [("teacher", metrics["teacher"], "teacher"), *(("mlp", "plainly trained", name) for name in PLAIN)]
    rows = [row for row in rows if row[2] in seeds[0]] + [("student", method_of(metrics), "student")]
    width = max(len(row[1]) for row in rows)
    columns = {key: name for key, name in COLUMNS.items() if key in seeds[0]["student"]}
    if selected(metrics) != "val":
        columns |= {selected(metrics, part): f"{part} {metrics['selected_by']} %" for part in ("val", "test")}
    wide = max(16, *(len(name) + 2 for name in columns.values()))
    head = "".join(f"{name:>{wide}}" for name in columns.values())
    lines = [" · ".join((*facts, count_of(metrics))), f"{'':9}{'':{width}}  {'reads' if reads else '':10}{head}"]
    for role, name, part in rows:
        scores = "".join(f"{percent([seed[part][column] for seed in seeds]):>{wide}}" for column in columns)
        lines.append(f"{role:9}{name:{width}}  {reads.get(part, ''):10}{scores}")
    return lines
