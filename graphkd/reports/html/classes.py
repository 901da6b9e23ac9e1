"""Confusion matrix and metrics of every class of a run."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphkd.evaluation import ConfusionMatrix
from graphkd.evaluation.figures import percent
from graphkd.reports.finished import FinishedRun
from graphkd.reports.html.tags import Html, joined, table, tag
from graphkd.reports.score_table import one_line

COLUMNS = {"precision %": "precision", "recall %": "recall", "F1 %": "f1"}
"""Metrics of the student by heading."""

OTHERS = {"teacher": "teacher", "mlp": "plain MLP", "mlp_same_inputs": "plain MLP, same inputs"}
"""Other models, whose F1 score is shown beside."""

LONGEST = 32
"""Characters of a class name at the side of the matrix."""


def classes(run: FinishedRun) -> Html:
    """Formats the metrics of each class, and the confusion matrix of all seeds; empty where none are recorded."""
    records = [seed["classes"] for seed in run.metrics["seeds"] if "classes" in seed]
    if not records:
        return Html("")
    return joined([tag("h4", "Classes"), _matrix(records), _table(records)])


def _table(records: Sequence[dict[str, Any]]) -> Html:
    """Formats a line per class: means over seeds on test nodes."""
    others = {part: name for part, name in OTHERS.items() if all(part in record for record in records)}
    head = ["class", "test nodes", *COLUMNS, *(f"F1 % of {name}" for name in others.values())]
    keys = [*(("student", key) for key in COLUMNS.values()), *((part, "f1") for part in others)]
    rows = [
        [
            one_line(str(name)),
            _support([record["student"]["support"][c] for record in records]),
            *(percent([record[part][key][c] for record in records]) for part, key in keys),
        ]
        for c, name in enumerate(records[0]["names"])
    ]
    return table(head, rows, [False, *(len(head) - 1) * [True]])


def _support(counts: Sequence[int]) -> str:
    """Formats the number of test nodes, or its range over seeds."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _matrix(records: Sequence[dict[str, Any]]) -> Html:
    """Formats the counts of all seeds; the colour of a cell is its share of the class."""
    found = [record["student"].get("counts") for record in records]
    if None in found:
        text = "The confusion matrix is not in metrics.json: graphkd evaluate RUN --output FOLDER writes it."
        return tag("p", text, class_="note")
    matrix = functools.reduce(operator.add, (ConfusionMatrix(np.array(counts)) for counts in found))
    names = [one_line(str(name)) for name in records[0]["names"]]
    shares = matrix.counts / np.maximum(matrix.support, 1)[:, None]
    head = tag("tr", tag("th", "class ↓ predicted →"), *(_name(name, "turned") for name in names))
    lines = [
        tag("tr", _name(name, None), *map(_cell, counts, of))
        for name, counts, of in zip(names, matrix.counts.tolist(), shares.tolist(), strict=True)
    ]
    seeds = "" if len(records) == 1 else f" of {len(records)} seeds together"
    caption = tag("caption", f"Test nodes{seeds} by class and prediction of the student")
    return tag("div", tag("table", caption, head, *lines, class_="matrix"), class_="wide")


def _name(name: str, kind: str | None) -> Html:
    short = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
    return tag("th", tag("span", short), class_=kind, title=None if short == name else name)


def _cell(count: int, share: float) -> Html:
    """Formats a cell; the text is white on a dark one."""
    style = f"background:rgb(var(--accent) / {share:.3f})" if count else None
    return tag("td", str(count), style=style, class_="deep" if share > 0.5 else None)
