"""A critical-difference diagram: mean ranks of models on an axis, bars over those that do not differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphkd.evaluation import Friedman
from graphkd.plots import png


def groups(ranks: Sequence[float], difference: float) -> list[tuple[float, float]]:
    """Returns the ends of the longest ranges of ranks that are not further apart than the critical difference.

    >>> groups([1.0, 1.5, 3.0, 3.2], 1.0)
    [(1.0, 1.5), (3.0, 3.2)]
    >>> groups([1.0, 1.8, 2.6], 1.0)
    [(1.0, 1.8), (1.8, 2.6)]
    """
    ordered = sorted(ranks)
    ends = [(low, max(rank for rank in ordered if rank - low <= difference)) for low in ordered]
    longest = [each for each in ends if not any(a <= each[0] and each[1] <= b and (a, b) != each for a, b in ends)]
    return [each for each in dict.fromkeys(longest) if each[1] > each[0]]


def critical_difference(result: Friedman, names: Sequence[str], title: str) -> bytes:
    """Draws the diagram as PNG.

    Source: Demšar: Statistical Comparisons of Classifiers over Multiple Data Sets. JMLR 7, 2006

    Args:
        result: of Friedman's test.
        names: of the models, in the order of its mean ranks.
        title: of the diagram.
    """
    from matplotlib.figure import Figure

    order = np.argsort(result.mean_ranks, kind="stable")
    half, count = (len(order) + 1) // 2, len(order)
    bars = groups(list(result.mean_ranks), result.critical_difference)
    depth = 1.0 + 0.35 * len(bars)
    figure = Figure(figsize=(8, 0.9 + 0.3 * half + 0.14 * len(bars)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlim(1 - 0.32 * count, count * 1.32)
    axes.set_ylim(depth + 0.8 * half, -2.2)
    axes.axis("off")
    axes.plot([1, count], [0, 0], "k", lw=1)
    for rank in range(1, count + 1):
        axes.plot([rank, rank], [0, -0.25], "k", lw=1)
        axes.text(rank, -0.35, str(rank), ha="center", va="bottom", fontsize=8)
    axes.plot([1, 1 + result.critical_difference], [-1.5, -1.5], "k", lw=2)
    axes.text(1, -1.6, f"critical difference {result.critical_difference:.1f}", va="bottom", fontsize=8)
    for place, index in enumerate(order):
        rank, left = float(result.mean_ranks[index]), place < half
        height = depth + 0.8 * (place if left else count - 1 - place)
        end = 0.7 if left else count + 0.3
        axes.plot([rank, rank, end], [0, height, height], color="0.3", lw=0.8)
        text = f"{names[index]}  {rank:.1f}" if left else f"{rank:.1f}  {names[index]}"
        axes.text(
            end,
            height,
            f"{text} " if left else f" {text}",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
        )
    for number, (low, high) in enumerate(bars):
        axes.plot([low - 0.05, high + 0.05], [0.45 + 0.35 * number] * 2, color="C0", lw=3)
    return png(figure)
