"""Learning curves of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from graphkd.errors import GraphKDError
from graphkd.evaluation.figures import axis_label, factor_of
from graphkd.reports.finished import FinishedRun
from graphkd.reports.html.axes import BOTTOM, LEFT, RIGHT, TOP, Axis, chart
from graphkd.reports.html.classes import OTHERS
from graphkd.reports.html.tags import Html, joined, tag
from graphkd.runs.live_log import LOG
from graphkd.saved_run import SavedRun

MOST_POINTS = 150
"""Points of a line; of a longer one evenly spaced epochs are drawn."""

COLOURS = 8
"""Number of colours, which the style sheet defines; further seeds take them again."""

Line = list[dict[str, float]]


def curves(run: FinishedRun) -> Html:
    """Draws loss and validation score of every stage, a line per seed; a dot is the epoch whose weights are kept.

    Raises:
        GraphKDError: the log is damaged.
    """
    if not (run.path / LOG).is_file():
        return tag("p", f"The folder holds no {LOG}.", class_="note")
    best = {
        (stage, seed["seed"]): epoch
        for seed in run.metrics["seeds"]
        for stage, epoch in seed.get("best_epoch", {}).items()
    }
    drawn = [_stage(run, stage, lines, best) for stage, lines in _stages(run).items()]
    note = tag("p", "A dot is the epoch whose weights are kept.", class_="note")
    legend = _legend([seed["seed"] for seed in run.metrics["seeds"]])
    return joined([legend, tag("div", *drawn, class_="stages"), note])


def _stages(run: FinishedRun) -> dict[str, dict[int, Line]]:
    """Reads the log: stage → seed → epochs."""
    stages: dict[str, dict[int, Line]] = {}
    try:
        for row in SavedRun(run.path).log:
            line = stages.setdefault(row["stage"], {}).setdefault(row["seed"], [])
            line.append({key: float(row.get(key, math.nan)) for key in ("epoch", "loss", "val")})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise GraphKDError(f"{run.path / LOG} is damaged: make the run again, or remove the file") from None
    return stages


def _stage(run: FinishedRun, stage: str, lines: dict[int, Line], best: dict[tuple[str, int], int]) -> Html:
    """Draws the loss, and beside it the validation score."""
    metric = run.metrics.get("selected_by", run.metrics["metric"])
    names = {"loss": ("loss", 1.0), "val": (axis_label("validation", metric), factor_of(metric))}
    title = OTHERS.get(stage, stage)
    charts = [_chart(f"{title}: {name}", key, stage, lines, best, factor) for key, (name, factor) in names.items()]
    return tag("div", *charts, class_="charts")


def _chart(
    title: str, key: str, stage: str, lines: dict[int, Line], best: dict[tuple[str, int], int], factor: float
) -> Html:
    points = {
        seed: [(row["epoch"], factor * row[key]) for row in rows if math.isfinite(row[key])]
        for seed, rows in lines.items()
    }
    values = [value for line in points.values() for _, value in line]
    if not values:
        return Html("")
    x = Axis.over([epoch for line in points.values() for epoch, _ in line], LEFT, RIGHT)
    y = Axis.over(values, BOTTOM, TOP, is_log=key == "loss" and min(values) > 0)
    marks = [
        _line(line, x, y, at % COLOURS, best.get((stage, seed))) for at, (seed, line) in enumerate(points.items())
    ]
    return chart(x, y, "epoch", title, *marks)


def _line(points: list[tuple[float, float]], x: Axis, y: Axis, colour: int, best: int | None) -> Html:
    """Draws a line, with a dot at its best epoch."""
    kept = points[:: 1 + (len(points) - 1) // MOST_POINTS]
    path = " ".join(f"{x.at(epoch):.1f},{y.at(value):.1f}" for epoch, value in kept)
    dots = [tag("circle", cx=x.at(epoch), cy=y.at(value), r=2.5) for epoch, value in points if epoch == best]
    return tag("g", tag("polyline", points=path), *dots, class_=f"line colour{colour}")


def _legend(seeds: Sequence[int]) -> Html:
    """Names the lines, unless there is one, or there are more than colours."""
    if not 1 < len(seeds) <= COLOURS:
        return Html("")
    marks = [tag("span", f"seed {seed}", class_=f"key colour{at}") for at, seed in enumerate(seeds)]
    return tag("p", joined(marks, " "), class_="legend")
