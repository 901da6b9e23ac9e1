"""The report as a plot."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from graphkd.evaluation.figures import axis_label, factor_of
from graphkd.plots import literal, png
from graphkd.reports.groups import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODELS = {
    "teacher": ("teacher", "tab:gray", "s"),
    "mlp": ("plain MLP", "tab:orange", "D"),
    "mlp_same_inputs": ("plain MLP, same inputs", "tab:green", "v"),
    "student": ("student", "tab:blue", "o"),
}
"""Legend label, colour and marker of each part, from the top of a row to its bottom."""

WIDTH, LINE, LABEL, TITLE = 9.0, 0.2, 44, 58
"""Inches of the figure's width and of a text line; maximum characters of a line of a label and of a title."""

MOST_PIXELS = 60_000
"""Maximum height of the image: a limit of the renderer."""


def draw(groups: Sequence[Group]) -> bytes:
    """Draws a PNG with a panel per group and a row per run.

    A large marker is a mean, its bar the population standard deviation, a small dot a seed.
    """
    from matplotlib.figure import Figure

    labels = [[_wrapped(row.label) for row in group.rows] for group in groups]
    heights = [sum(map(_inches, texts)) + 0.1 for texts in labels]
    height = sum(heights) + 0.85 * len(groups) + 0.5
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, group, texts in zip(panels, groups, labels, strict=True):
        _panel(panel, group, texts)
    handles = {handle.get_label(): handle for panel in panels for handle in panel.get_legend_handles_labels()[0]}
    figure.legend(handles=list(handles.values()), loc="outside upper center", ncols=len(MODELS), frameon=False)
    return png(figure, dpi=min(150, MOST_PIXELS / height))


def _panel(panel: Axes, group: Group, labels: list[str]) -> None:
    edges = np.cumsum([0.0, *map(_inches, labels)])
    middles, metric = (edges[:-1] + edges[1:]) / 2, group.rows[0].run.metrics["metric"]
    for middle, row in zip(middles, group.rows, strict=True):
        for offset, part in zip((-0.12, -0.04, 0.04, 0.12), MODELS, strict=True):
            scores = row.run.scores(part)
            if scores is not None:
                _dots(panel, factor_of(metric) * scores, middle + offset, part)
    for edge in edges[1:-1]:
        panel.axhline(edge, color="0.9", linewidth=0.8, zorder=0)
    panel.set_yticks(middles, labels)
    panel.set_ylim(edges[-1] + 0.05, -0.05)
    panel.margins(x=0.05)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", color="0.9")
    panel.set_axisbelow(True)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.set_title("\n".join(textwrap.wrap(literal(group.title), TITLE)), loc="left", fontsize="medium")
    panel.set_xlabel(axis_label("test", metric))


def _dots(panel: Axes, scores: NDArray[np.float64], y: float, part: str) -> None:
    name, colour, marker = MODELS[part]
    spread = scores.std() if scores.size > 1 else None
    panel.errorbar(scores.mean(), y, xerr=spread, fmt=marker, color=colour, markersize=5, label=name, zorder=3)
    if scores.size > 1:
        panel.plot(scores, np.full(scores.size, y), ".", color=colour, alpha=0.4, markersize=4, zorder=2)


def _inches(label: str) -> float:
    """Returns the height of a row: room for four models, or for the lines of its label."""
    return max(0.44, LINE * (1 + label.count("\n")) + 0.1)


def _wrapped(label: str) -> str:
    return "\n".join(textwrap.wrap(literal(label), LABEL))
