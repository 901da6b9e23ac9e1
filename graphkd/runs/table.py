"""The scores of a run as a table: a row per model, a column per score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphkd.evaluation.figures import percent
from graphkd.runs.metrics import PLAIN, TRANSFORMED, selected

COLUMNS = {
    "val": "val %",
    "test": "test %",
    "test_ind": "hidden test %",
    "test_tran": "visible test %",
    "test_hits@20": "test Hits@20 %",
}
"""Scores of a model, in the order of the table."""


@dataclass(frozen=True)
class TableRow:
    """A model of a run.

    Args:
        role: ``teacher``, ``mlp`` or ``student``.
        name: of the network, or of the method with all that is added to it.
        reads: its inputs when it answers; empty where they are not recorded.
        scores: one per column: mean ± population standard deviation over seeds, in percent.
    """

    role: str
    name: str
    reads: str
    scores: tuple[str, ...]


def method_of(metrics: dict[str, Any]) -> str:
    """Returns the method of a run, and its matching, and all that is added to it."""
    added = [metrics.get(key, "none") for key in ("matching", "transform", "calibration", "balance", "term")]
    return " + ".join([metrics["method"], *(name for name in added if name != "none")])


def count_of(metrics: dict[str, Any]) -> str:
    """Formats the number of seeds of a run, such as ``5 seeds``."""
    count = len(metrics["seeds"])
    return f"{count} seed{'s' if count > 1 else ''}"


def heading_of(metrics: dict[str, Any]) -> str:
    """Formats data set, split, setting, metric and number of seeds."""
    facts = (metrics["dataset"], f"{metrics['split']} split", metrics["setting"], metrics["metric"])
    return " · ".join((*facts, count_of(metrics)))


def rows_of(metrics: dict[str, Any]) -> tuple[list[str], list[TableRow]]:
    """Returns the names of the columns, and the rows.

    Where nodes were hidden, hidden and visible test nodes have separate columns; so has another metric that
    validation selects on.

    Args:
        metrics: contents of ``metrics.json``.
    """
    seeds, reads = metrics["seeds"], metrics.get("reads", {})
    changed = f"{metrics['teacher']} + {metrics.get('transform')}"
    models = [("teacher", metrics["teacher"], "teacher"), ("teacher", changed, TRANSFORMED)]
    models += [("mlp", "plainly trained", name) for name in PLAIN]
    models = [row for row in models if row[2] in seeds[0]] + [("student", method_of(metrics), "student")]
    columns = {key: name for key, name in COLUMNS.items() if key in seeds[0]["student"]}
    if selected(metrics) != "val":
        columns |= {selected(metrics, part): f"{part} {metrics['selected_by']} %" for part in ("val", "test")}
    rows = [
        TableRow(
            role, name, reads.get(part, ""), tuple(percent([seed[part][key] for seed in seeds]) for key in columns)
        )
        for role, name, part in models
    ]
    return list(columns.values()), rows


def format_table(metrics: dict[str, Any]) -> list[str]:
    """Formats the table as lines of text: a heading, the names of the columns, and a line per model.

    Args:
        metrics: contents of ``metrics.json``.
    """
    columns, rows = rows_of(metrics)
    width, wide = max(len(row.name) for row in rows), max(16, *(len(name) + 2 for name in columns))
    reads = "reads" if any(row.reads for row in rows) else ""
    lines = [
        heading_of(metrics),
        f"{'':9}{'':{width}}  {reads:10}{''.join(f'{name:>{wide}}' for name in columns)}",
    ]
    for row in rows:
        scores = "".join(f"{score:>{wide}}" for score in row.scores)
        lines.append(f"{row.role:9}{row.name:{width}}  {row.reads:10}{scores}")
    return lines
