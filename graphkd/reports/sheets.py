"""The report as CSV: fractions in full precision, as in ``metrics.json``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from graphkd.evaluation import PairedDifference
from graphkd.reports.finished import FinishedRun
from graphkd.reports.groups import Group, Row
from graphkd.runs import NAMES, PARTS, TESTS
from graphkd.tasks import TASKS

DETAILS = tuple(dict.fromkeys(name for task in TASKS.values() for name in task.details))

COLUMNS = (*TESTS, *(f"test_{name}" for name in DETAILS))
"""Scores of every model on test nodes."""


def to_csv(groups: Sequence[Group]) -> str:
    """Formats a line per run; every report has the same columns, empty where they do not apply."""
    return csv_text([_line(row, group.rows[0]) for group in groups for row in group.rows])


def seeds_csv(groups: Sequence[Group]) -> str:
    """Formats a line per run and seed, for further statistics."""
    return csv_text(
        [
            {**_names(row), "seed": seed["seed"], **_seed_scores(seed)}
            for group in groups
            for row in group.rows
            for seed in row.run.metrics["seeds"]
        ]
    )


def _line(row: Row, first: Row) -> dict[str, Any]:
    return {
        **_names(row),
        "warning": row.run.warning,
        "seeds": row.count,
        **_scores(row.run),
        **_difference("student_minus_teacher", row.gain),
        "reference": "" if row is first else first.run.path,
        **_difference("student_minus_reference", row.lead),
    }


def _scores(run: FinishedRun) -> dict[str, float | str]:
    columns: dict[str, float | str] = {}
    for part in PARTS:
        for column in COLUMNS:
            values = run.scores(part, column)
            columns[f"{part}_{column}_mean"] = "" if values is None else float(values.mean())
            columns[f"{part}_{column}_std"] = "" if values is None else float(values.std())
    return columns


def _names(row: Row) -> dict[str, Any]:
    names = {name: row.run.metrics[name] for name in NAMES}
    return {"run": row.run.path, **names, "differs_in": row.differs_in}


def _difference(name: str, found: PairedDifference | None) -> dict[str, float | str]:
    values = [math.nan] * 4 if found is None else [found.mean, found.low, found.high, found.n]
    columns = (name, f"{name}_low", f"{name}_high", f"{name}_pairs")
    return {column: "" if math.isnan(value) else value for column, value in zip(columns, values, strict=True)}


def _seed_scores(seed: dict[str, Any]) -> dict[str, Any]:
    columns = ("val", *COLUMNS)
    return {f"{part}_{column}": seed.get(part, {}).get(column, "") for part in PARTS for column in columns}


def csv_text(lines: list[dict[str, Any]]) -> str:
    """Returns lines as CSV, with the first one's keys as columns."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()
