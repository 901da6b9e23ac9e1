"""Plots of an angle analysis: histograms and heat maps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from graphkd.matching import LayerAngles
from graphkd.plots import literal, png
from graphkd.runs import Angles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

Found = Mapping[int, Angles]
Side = Callable[[Angles], LayerAngles]

SIDES: dict[str, Side] = {
    "before training": lambda angles: angles.before,
    "after training": lambda angles: angles.after,
}

BINS = np.arange(0, 181, 5)
"""Edges of the histograms' bins in degrees."""

COLUMNS = 3
"""Maximum number of histograms side by side."""

MOST_LABELLED = 11
"""Maximum number of rows of a heat map whose cells are annotated with numbers."""


def histograms(found: Found, title: str) -> bytes:
    """Draws a PNG with a panel per student layer: the angles of all nodes, pairs of teacher layers and seeds.

    Args:
        found: by seed.
        title: above all panels.
    """
    from matplotlib.figure import Figure

    num_student = _depths(found)[0]
    across = min(COLUMNS, num_student)
    down = -(-num_student // across)
    figure = Figure(figsize=(max(6.0, 3.6 * across), 2.8 * down + 0.8), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for i, panel in enumerate(panels[:num_student]):
        _histogram(panel, found, i)
    for panel in panels[num_student:]:
        panel.set_visible(False)
    for panel in panels[::across]:
        panel.set_ylabel("share per 5 degrees, %")
    figure.suptitle(literal(title), fontsize="medium")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return png(figure)


def layer_pairs(found: Found, title: str) -> bytes:
    """Draws a PNG with a row per student layer: mean angles of all pairs of teacher layers, before and after.

    Args:
        found: by seed.
        title: above all panels.
    """
    from matplotlib.figure import Figure

    num_student, num_teacher = _depths(found)
    side = max(1.7, 0.42 * (num_teacher - 1))
    height = num_student * (side + 0.6) + 0.8
    figure = Figure(figsize=(2 * side + 2.4, height), layout="constrained")
    panels = figure.subplots(num_student, 2, squeeze=False, sharey=True)
    for i, row in enumerate(panels):
        row[0].set_ylabel(f"student layer {i + 1}\n\nteacher hop")
        for panel, (when, view) in zip(row, SIDES.items(), strict=True):
            panel.set_title(when, fontsize="medium")
            image = _heat_map(panel, _square(found, view, i))
    for panel in panels[-1]:
        panel.set_xlabel("teacher hop")
    figure.suptitle(literal(title), fontsize="medium")
    bar = figure.colorbar(image, ax=panels, ticks=range(0, 181, 30), shrink=min(0.9, 5 / height), anchor=(0, 1))
    bar.set_label("mean angle, degrees")
    return png(figure)


def _histogram(panel: Axes, found: Found, i: int) -> None:
    shares = []
    for (when, view), colour, fill in zip(SIDES.items(), ("0.6", "C0"), (True, False), strict=True):
        counts = np.zeros(len(BINS) - 1)
        for angles in found.values():
            counts += np.histogram(view(angles).angles[i].numpy(), BINS)[0]  # NaN is in no bin
        panel.stairs(100 * counts / max(counts.sum(), 1), BINS, label=when, linewidth=1.6, color=colour, fill=fill)
        shares.append(100 * _mean([view(angles).acute[i].numpy() for angles in found.values()]))
    panel.axvline(90, color="0.2", linestyle=":", linewidth=1)
    panel.set_title(f"student layer {i + 1}: acute {shares[0]:.0f} % → {shares[1]:.0f} %", fontsize="medium")
    panel.set_xlabel("angle between two teacher layers, degrees")
    panel.set_xlim(0, 180)
    panel.set_xticks(range(0, 181, 45))
    panel.spines[["top", "right"]].set_visible(False)


def _heat_map(panel: Axes, table: NDArray[np.float64]) -> AxesImage:
    panel.set_facecolor("0.85")
    # Centred at 90 degrees, so that acute and obtuse angles have the same two colours in every run.
    image = panel.imshow(np.ma.masked_invalid(table), cmap="RdBu_r", vmin=0, vmax=180, origin="upper")
    size = len(table)
    panel.set_xticks(range(size), [str(k + 2) for k in range(size)])
    panel.set_yticks(range(size), [str(j + 1) for j in range(size)])
    panel.tick_params(length=0)
    for j, k in itertools.product(range(size), repeat=2):
        if k < j:  # no pair: hop k + 2 is not above hop j + 1
            panel.fill([k - 0.5, k + 0.5, k + 0.5, k - 0.5], [j - 0.5, j - 0.5, j + 0.5, j + 0.5], color="white")
        elif size <= MOST_LABELLED:
            value = float(table[j, k])
            text = "–" if math.isnan(value) else f"{value:.0f}"
            colour = "white" if abs(value - 90) > 55 else "black"
            panel.text(k, j, text, ha="center", va="center", fontsize="small", color=colour)
    panel.spines[:].set_visible(False)
    return image


def _square(found: Found, view: Side, i: int) -> NDArray[np.float64]:
    """Computes mean angles ``[N − 1, N − 1]``, row ``j`` and column ``k − 1`` for hops ``j < k``."""
    size = _depths(found)[1] - 1
    table = np.full((size, size), np.nan)
    means = np.mean([view(angles).degrees[i].numpy() for angles in found.values()], axis=0)
    for (j, k), value in zip(next(iter(found.values())).pairs, means, strict=True):
        table[j, k - 1] = value
    return table


def _mean(values: list[NDArray[np.float32]]) -> float:
    """Computes the mean without NaN; NaN if there are no values."""
    numbers = np.stack(values)
    numbers = numbers[~np.isnan(numbers)]
    return float(numbers.mean()) if numbers.size else float("nan")


def _depths(found: Found) -> tuple[int, int]:
    return next(iter(found.values())).depths
