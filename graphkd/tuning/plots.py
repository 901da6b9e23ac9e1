"""Pictures of a search."""

from __future__ import annotations

from typing import Any

from graphkd.evaluation.figures import axis_label, factor_of
from graphkd.plots import literal, png

MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")


def draw_pareto(rows: list[dict[str, Any]], winner: int, metric: str) -> bytes:
    """Draws a PNG: validation score against microseconds of one prediction, a marker per student.

    A line joins the students that no other one beats in both. A student on one seed alone is pale.

    Args:
        rows: of the table of a search.
        winner: number of the chosen student.
        metric: of the validation scores.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    panel, factor = figure.subplots(), factor_of(metric)
    scored = [row for row in rows if row["val"] is not None]
    for number, method in enumerate(dict.fromkeys(row["method"] for row in scored)):
        for sure in (False, True):
            found = [row for row in scored if row["method"] == method and (row["seeds"] > 1) is sure]
            panel.plot(
                [row["microseconds"] for row in found],
                [factor * row["val"] for row in found],
                MARKERS[number % len(MARKERS)],
                color=f"C{number}",
                alpha=0.9 if sure else 0.25,
                label=method if sure else None,
                markersize=5,
            )
    front = pareto_front([row for row in scored if row["seeds"] > 1])
    panel.plot(
        [row["microseconds"] for row in front], [factor * row["val"] for row in front], color="0.5", zorder=0
    )
    for row in scored:
        if row["number"] == winner:
            at = row["microseconds"], factor * row["val"]
            panel.plot(*at, "o", ms=12, mfc="none", color="0.2", label="chosen")
    panel.set_xlabel("microseconds per answer, median of one row (numpy)")
    panel.set_ylabel(axis_label("validation", metric))
    panel.grid(color="0.9")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    return png(figure)


def pareto_front(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the rows that no other row beats in both score and latency, the quickest first."""
    front: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (row["microseconds"], -row["val"])):
        if not front or row["val"] > front[-1]["val"]:
            front.append(row)
    return front


def draw_importances(importances: dict[str, float]) -> bytes:
    """Draws a PNG: the share of the variance of the validation scores that each setting explains.

    Source: Watanabe et al., PED-ANOVA, IJCAI 2023

    Args:
        importances: share of each setting, the largest first.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 0.8 + 0.3 * max(1, len(importances))), layout="constrained")
    panel = figure.subplots()
    names = list(importances)[::-1]
    panel.barh([literal(name) for name in names], [100 * importances[name] for name in names], color="0.4")
    panel.set_xlabel("importance, % (PED-ANOVA)")
    panel.spines[["top", "right"]].set_visible(False)
    return png(figure)
