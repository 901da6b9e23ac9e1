"""Plots of an evaluation: the confusion matrix and the reliability of the probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphkd.plots import literal, png
from graphkd.runs import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUMBERED = 20
"""Number of classes up to which cells and axes have text."""


def confusion_png(evaluation: Evaluation) -> bytes:
    """Draws the confusion matrix; a cell's colour is its share of the class's nodes."""
    assert evaluation.confusion is not None
    confusion, count = evaluation.confusion, len(evaluation.class_names)
    shares = confusion.counts / np.maximum(confusion.support, 1)[:, None]
    figure = _figure(min(2.5 + 0.55 * count, 12.0))
    panel = figure.subplots()
    image = panel.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    figure.colorbar(image, ax=panel, label="share of the class", shrink=0.8)
    panel.set_xlabel("predicted class")
    panel.set_ylabel("class")
    if count <= NUMBERED:
        _name_cells(panel, evaluation, confusion.counts, shares > 0.5)
    return png(figure)


def _name_cells(panel: Axes, evaluation: Evaluation, counts: np.ndarray, dark: np.ndarray) -> None:
    names = [literal(str(name)) for name in evaluation.class_names]
    panel.set_xticks(range(len(names)), names, rotation=90)
    panel.set_yticks(range(len(names)), names)
    for (row, column), nodes in np.ndenumerate(counts):
        colour = "white" if dark[row, column] else "black"
        panel.text(column, row, str(nodes), ha="center", va="center", color=colour, fontsize="small")


def reliability_png(evaluation: Evaluation) -> bytes:
    """Draws how often predictions are right against their confidence, and how many nodes each bin has."""
    assert evaluation.reliability is not None
    found, bins = evaluation.reliability, len(evaluation.reliability.count)
    middles = (np.arange(bins) + 0.5) / bins
    figure = _figure(5.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], "--", color="0.6", label="confidence = accuracy")
    above.bar(middles, np.nan_to_num(found.accuracy), 0.9 / bins, color="tab:blue", alpha=0.5, label="accuracy")
    above.plot(found.confidence, found.accuracy, "o", color="tab:blue", markersize=4)
    errors = 100 * np.mean([scores["test_ece"] for scores in evaluation.scores])
    of_seeds = f", mean of {len(evaluation.scores)} seeds" if len(evaluation.scores) > 1 else ""
    above.set_title(f"expected calibration error {errors:.2f} %{of_seeds}", fontsize="medium")
    above.set_ylabel("accuracy")
    above.legend(frameon=False)
    below.bar(middles, found.count, 0.9 / bins, color="0.6")
    below.set_ylabel("nodes")
    below.set_xlabel("confidence: the largest probability")
    below.set_xlim(0, 1)
    return png(figure)


def _figure(inches: float) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(figsize=(inches + 1, inches), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
