"""Three plots: differences with their intervals, ranks with the critical difference, angles."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from study import STRATEGIES

from graphkd.evaluation import friedman

COLOURS = dict(zip(STRATEGIES, ("black", *[f"C{number}" for number in range(5)]), strict=True))
plt.switch_backend("Agg")


def plot_differences(differences: pd.DataFrame, margin: float, path: Path) -> None:
    """Mean paired differences to ``none`` and to ``forward`` with 95 % intervals: each cell, and all together."""
    parts = [part for part in differences.part.unique() if part != "all runs"]
    parts = [*[part for part in parts if part != "all cells"], "all cells"]
    figure, axes = plt.subplots(1, 2, figsize=(11, 1.2 + 0.42 * len(parts)), sharex=True, sharey=True)
    for axis, (reference, rows) in zip(axes, differences.groupby("reference", sort=False), strict=True):
        names = rows.strategy.unique()
        for number, name in enumerate(names):
            own = rows[rows.strategy == name].set_index("part").loc[parts]
            height = [place + 0.13 * (number - (len(names) - 1) / 2) for place in range(len(parts))]
            gaps = [(own["mean"] - own.low).fillna(0), (own.high - own["mean"]).fillna(0)]
            axis.errorbar(own["mean"], height, xerr=gaps, fmt="o", ms=3, lw=1, label=name, color=COLOURS[name])
        axis.axvspan(-margin, margin, color="0.92", zorder=0)
        axis.axvline(0, color="0.5", linewidth=0.8)
        axis.axhline(len(parts) - 1.5, color="0.5", linewidth=0.8)
        axis.set_xlabel(f"test score minus {reference}'s, points")
        axis.legend(fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    axes[0].set_yticks(range(len(parts)), parts)
    axes[0].invert_yaxis()
    _save(figure, path)


def plot_ranks(table: pd.DataFrame, path: Path) -> None:
    """A critical-difference diagram (Demsar 2006): strategies under one bar do not differ at 5 %."""
    found = friedman(table.to_numpy())
    order = found.mean_ranks.argsort()
    ranks, names = found.mean_ranks[order], [table.columns[place] for place in order]
    count, half = len(names), (len(names) + 1) // 2
    figure, axis = plt.subplots(figsize=(8, 1.6 + 0.28 * half))
    axis.set(xlim=(0.4, count + 0.6), ylim=(-half - 1.2, 1.2))
    axis.axis("off")
    axis.plot([1, count], [0, 0], color="black", linewidth=1)
    for tick in range(1, count + 1):
        axis.plot([tick, tick], [0, 0.12], color="black", linewidth=1)
        axis.text(tick, 0.2, str(tick), ha="center", fontsize=9)
    for place, (rank, name) in enumerate(zip(ranks, names, strict=True)):
        left = place < half
        level = -1.0 - (place if left else count - 1 - place)
        end = 0.9 if left else count + 0.1
        axis.plot([rank, rank, end], [0, level, level], color="0.3", linewidth=0.9)
        axis.text(
            end + (-0.05 if left else 0.05),
            level,
            f"{name}  {rank:.2f}",
            va="center",
            fontsize=9,
            ha="right" if left else "left",
        )
    for number, (low, high) in enumerate(cliques(list(ranks), found.critical_difference)):
        axis.plot([low - 0.03, high + 0.03], [-0.22 - 0.2 * number] * 2, color="black", linewidth=3)
    axis.plot([1, 1 + found.critical_difference], [0.8, 0.8], color="black", linewidth=1.5)
    axis.text(
        1 + found.critical_difference + 0.05,
        0.8,
        f"critical difference {found.critical_difference:.2f}",
        va="center",
        fontsize=9,
    )
    axis.text((1 + count) / 2, -half - 0.9, "mean rank, 1 is best", ha="center", va="center", fontsize=9)
    _save(figure, path)


def cliques(ranks: list[float], critical: float) -> list[tuple[float, float]]:
    """First and last rank of every largest group whose members lie within the critical difference."""
    found: list[tuple[int, int]] = []
    for start in range(len(ranks)):
        end = max(place for place in range(start, len(ranks)) if ranks[place] - ranks[start] <= critical)
        if end > start and (not found or end > found[-1][1]):
            found.append((start, end))
    return [(ranks[start], ranks[end]) for start, end in found]


def plot_angles(frame: pd.DataFrame, path: Path) -> None:
    """Each cell: how far the strategies' means lie apart, against the angles at the start."""
    cells = frame[~frame.strategy.isin(["mlp", "none"])].groupby(["cell", "strategy"], sort=False)
    means = 100 * cells.test.mean().unstack("strategy")
    angle = cells.unit_angle_before.mean().unstack("strategy").iloc[:, 0]
    figure, axis = plt.subplots(figsize=(7, 4.2))
    axis.scatter(angle[means.index], means.max(axis=1) - means.min(axis=1), s=22)
    for cell in means.index:
        axis.annotate(
            cell,
            (angle[cell], means.loc[cell].max() - means.loc[cell].min()),
            fontsize=7,
            xytext=(4, 3),
            textcoords="offset points",
        )
    axis.margins(0.12)
    axis.set_xlabel("mean angle of two teacher layers from the student at its start, unit rows, degrees")
    axis.set_ylabel("best minus worst matching of a cell, points")
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=130, bbox_inches="tight")
    plt.close(figure)
