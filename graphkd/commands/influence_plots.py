"""Plots of an influence: its distribution, scatter plots, rank correlations."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from graphkd.influence.properties import KINDS
from graphkd.plots import literal, png
from graphkd.runs import InfluenceProfile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"features": "C0", "graph": "C2", "labels": "C4", "teacher": "C1"}
"""Colours of properties by the kind of data that they are computed from."""

BINS = 40

MOST_DOTS = 5000
"""Maximum number of dots in a panel; of more nodes, a random subset is drawn."""

CHARACTERS = 15
"""Characters of the title per inch."""


def distribution(profile: InfluenceProfile, title: str) -> bytes:
    """Draws a PNG of two histograms: the influence, and the resulting weights of the loss."""
    from matplotlib.figure import Figure

    panels: int = 1 + bool(profile.terms)
    figure = Figure(figsize=(4.6 * panels, 3.4), layout="constrained")
    left, *rest = figure.subplots(1, panels, squeeze=False)[0]
    left.hist(profile.influence.numpy(), bins=np.linspace(0, 1, BINS + 1), color="C0")
    left.set_xlim(0, 1)
    left.set_xlabel("influence I")
    left.set_ylabel("nodes")
    for panel in rest:
        _weights(panel, profile)
    if rest:
        figure.legend(*rest[0].get_legend_handles_labels(), loc="outside lower right", ncols=2, frameon=False)
    return _finished(figure, title)


def scatter(profile: InfluenceProfile, title: str) -> bytes:
    """Draws a PNG of two panels: the influence of nodes over their feature typicality, and over their degree."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.2, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    influence, rankings = profile.influence.numpy(), profile.correlations
    drawn = np.random.default_rng(0).permutation(influence.size)[:MOST_DOTS]
    for panel, name in zip(panels, ("typicality", "degree"), strict=True):
        values = profile.properties[name].numpy()
        panel.plot(values[drawn], influence[drawn], ".", markersize=4, alpha=0.35, markeredgewidth=0)
        rho = rankings[name].value
        panel.set_title("no ranking" if math.isnan(rho) else f"ρ = {rho:+z.3f}", fontsize="medium")
        panel.set_xlabel(KINDS[name][1])
    panels[0].set_ylabel("influence I")
    panels[0].set_ylim(-0.03, 1.03)
    _count(panels[1], profile.properties["degree"].numpy())
    return _finished(figure, title)


def correlations(profile: InfluenceProfile, title: str) -> bytes:
    """Draws a PNG with a bar per property: its rank correlation with the influence, and the 95 % interval."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    by_property = profile.correlations
    figure = Figure(figsize=(7.4, 0.3 * len(by_property) + 1.3), layout="constrained")
    panel = figure.subplots()
    for row, (name, correlation) in enumerate(by_property.items()):
        if math.isnan(correlation.value):
            panel.text(0, row, " –", va="center")
            continue
        panel.barh(row, correlation.value, 0.7, color=COLOURS[KINDS[name][0]])
        if not math.isnan(correlation.low):
            panel.plot([correlation.low, correlation.high], [row, row], color="0.2", linewidth=1.2)
    panel.set_yticks(range(len(by_property)), [KINDS[name][1] for name in by_property])
    panel.set_ylim(len(by_property) - 0.5, -0.5)
    panel.set_xlim(-1, 1)
    panel.set_xlabel("rank correlation with the influence")
    panel.axvline(0, color="0.2", linewidth=0.8)
    panel.grid(axis="x", color="0.9")
    kinds = dict.fromkeys(KINDS[name][0] for name in by_property)
    handles = [Patch(color=COLOURS[kind], label=kind) for kind in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return _finished(figure, title)


def _weights(panel: Axes, profile: InfluenceProfile) -> None:
    """Draws histograms of each term's weights divided by their mean: equal weights would all be 1."""
    ratios = {name: _relative(term.weights.numpy()) for name, term in profile.terms.items()}
    bins = np.linspace(0, max(2.0, *(values.max() for values in ratios.values())), 2 * BINS + 1)
    for (name, values), term, fill in zip(ratios.items(), profile.terms.values(), (True, False), strict=True):
        shares = 100 * np.histogram(values, bins)[0] / values.size
        label = f"{name}: {term.base:g} + {term.slope:g} I"
        panel.stairs(shares, bins, label=label, fill=fill, color="C0" if fill else "C1", linewidth=1.4)
    panel.set_xlim(0, bins[-1])
    panel.set_xlabel("weight in the loss / mean weight")
    panel.set_ylabel("nodes of the term, %")


def _relative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    defined = weights[~np.isnan(weights)]
    mean = defined.mean()
    return defined / mean if mean > 0 else np.ones_like(defined)


def _count(panel: Axes, values: NDArray[np.float64]) -> None:
    """Sets a logarithmic axis for counts, which includes 0 where a value is 0."""
    from matplotlib.ticker import NullFormatter

    positive = values[values > 0]
    least = float(positive.min()) if positive.size else 1.0
    if positive.size == values.size:
        panel.set_xscale("log")
    else:
        panel.set_xscale("symlog", linthresh=least)
        panel.set_xlim(left=-0.2 * least)
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_formatter(NullFormatter())


def _finished(figure: Figure, title: str) -> bytes:
    for panel in figure.axes:
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    width = int(CHARACTERS * figure.get_figwidth())
    figure.suptitle("\n".join(textwrap.wrap(literal(title), width)), fontsize="small")
    return png(figure)
