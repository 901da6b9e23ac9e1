"""Test score against latency of a run that was timed by ``graphkd bench``."""

from __future__ import annotations

from typing import Any

from graphkd.atomic_io import check_schema, read_json
from graphkd.errors import GraphKDError
from graphkd.evaluation.figures import axis_label, factor_of, heading_of, score_text
from graphkd.reports.finished import FinishedRun
from graphkd.reports.html.axes import BOTTOM, LEFT, RIGHT, TOP, Axis, chart
from graphkd.reports.html.tags import Html, joined, table, tag

FILE = "bench.json"
"""Written by ``graphkd bench RUN --json RUN/bench.json``."""

SCHEMA_VERSION = 1
"""Of the file."""


def latency(run: FinishedRun) -> Html:
    """Draws a mark per model at the median time of one row, and lists them; empty without ``bench.json``.

    Raises:
        GraphKDError: the file is damaged.
    """
    file = run.path / FILE
    if not file.is_file():
        return Html("")
    found = read_json(file, "a measurement of graphkd bench")
    check_schema(file, found, SCHEMA_VERSION, "a bench", "measure")
    try:
        return _section(found, [_point(model) for model in found["models"]])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError):
        raise GraphKDError(f"{file} is damaged: make it again with graphkd bench, or remove it") from None


def _point(model: dict[str, Any]) -> dict[str, Any]:
    """Returns name, role, microseconds per row (median and 95th percentile) and test score.

    One row is taken at a time, but by a teacher that answers for all nodes at once.
    """
    row = min(model["batches"], key=lambda row: row["rows"])
    share = row["rows"]
    return {
        "name": str(model["name"]) + (", per node" if share > 1 else ""),
        "role": "teacher" if model["role"] == "teacher" else "student",
        "p50": row["p50"] / share,
        "p95": row["p95"] / share,
        "test": model["scores"]["test"],
    }


def _section(found: dict[str, Any], points: list[dict[str, Any]]) -> Html:
    x = Axis.over([point[key] for point in points for key in ("p50", "p95")], LEFT, RIGHT, is_log=True)
    metric = found["metric"]
    y = Axis.over([factor_of(metric) * point["test"] for point in points], BOTTOM, TOP)
    marks = [_mark(number, point, x, y, factor_of(metric)) for number, point in enumerate(points, 1)]
    title = f"{axis_label('test', metric)}, against microseconds per answer"
    drawing = chart(x, y, "microseconds, median to 95th percentile", title, *marks)
    rows = [[str(number), *_cells(point, metric)] for number, point in enumerate(points, 1)]
    listed = table(
        ["", "model", "median µs", "95th percentile µs", heading_of("test", metric)],
        rows,
        [True, False, True, True, True],
    )
    note = f"Seed {found['seed']} on {found['machine']['cpu']}, by graphkd bench."
    return joined(
        [
            tag("h4", f"Test {metric} against latency"),
            tag("div", drawing, listed, class_="beside"),
            tag("p", note, class_="note"),
        ]
    )


def _cells(point: dict[str, Any], metric: str) -> list[str]:
    test = score_text([point["test"]], metric)
    return [point["name"], f"{point['p50']:.4g}", f"{point['p95']:.4g}", test]


def _mark(number: int, point: dict[str, Any], x: Axis, y: Axis, factor: float) -> Html:
    """Draws a dot at the median with its number, and a bar to the 95th percentile."""
    left, right, height = x.at(point["p50"]), x.at(point["p95"]), y.at(factor * point["test"])
    shift = -7.0 if number % 2 else 14.0  # numbers of neighbours stand above and below
    return tag(
        "g",
        tag("line", x1=left, x2=right, y1=height, y2=height),
        tag("circle", cx=left, cy=height, r=3.5),
        tag("text", str(number), x=left, y=height + shift, text_anchor="middle"),
        class_=f"mark {point['role']}",
    )
