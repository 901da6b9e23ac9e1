"""From rows of runs to tables, statistics and plots; all scores and differences in points (percent)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plots
from scipy import stats
from study import STRATEGIES

from graphkd.atomic_io import write_text
from graphkd.evaluation import best_share, detectable_difference, friedman, paired_difference, power_of_tost, tost

MARGIN = 0.5
"""Points that do not matter."""
NAMES = ("angle", "acute")


def analyse(block: str, rows: list[dict[str, Any]], folder: Path) -> str:
    """Writes ``rows.csv``, ``differences.csv``, ``tables.md`` and the plots; returns the tables."""
    frame = pd.DataFrame(rows)
    frame["cell"] = [
        f"{name} / {teacher.upper()}" for name, teacher in zip(frame.dataset, frame.teacher, strict=True)
    ]
    points = 100 * frame.pivot(index=["cell", "seed"], columns="strategy", values="test")
    points = points.reindex(frame[["cell", "seed"]].drop_duplicates().apply(tuple, axis=1))
    points["teacher"] = 100 * frame.groupby(["cell", "seed"], sort=False).teacher_test.first()
    differences = pd.DataFrame(
        [row for reference in ("none", "forward") for row in differences_to(reference, points)]
    )
    text = "\n\n".join(
        [
            f"# {block}",
            scores_table(points),
            pooled_table(points, differences),
            ranks_table(points),
            angles_table(frame),
        ]
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "rows.csv", frame.drop(columns="cell").to_csv(index=False, float_format="%.6g"))
    write_text(folder / "differences.csv", differences.to_csv(index=False, float_format="%.6g"))
    write_text(folder / "tables.md", text + "\n")
    plots.plot_differences(differences, MARGIN, folder / "differences.png")
    plots.plot_ranks(means(points), folder / "ranks.png")
    plots.plot_angles(frame, folder / "angles.png")
    return text


def means(points: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds, cells by strategies; rounded, so that equal means tie."""
    return points[list(STRATEGIES)].groupby(level="cell", sort=False).mean().round(9)


def differences_to(reference: str, points: pd.DataFrame) -> list[dict[str, Any]]:
    """Paired differences of every other strategy, in each cell, over all runs, and over the cells' means."""
    rows = []
    for strategy in STRATEGIES:
        if strategy == reference:
            continue
        gaps = points[strategy] - points[reference]
        parts = {"all runs": gaps, "all cells": gaps.groupby(level="cell", sort=False).mean()}
        parts |= dict(list(gaps.groupby(level="cell", sort=False)))
        for part, values in parts.items():
            found = paired_difference(values, [0.0] * len(values))
            rows.append({"strategy": strategy, "reference": reference, "part": part, **vars(found)})
    return rows


def scores_table(points: pd.DataFrame) -> str:
    """Mean ± population standard deviation over seeds; the best strategy in bold."""
    columns = ["mlp", "teacher", *STRATEGIES]
    grouped = points.groupby(level="cell", sort=False)
    mean, spread = grouped.mean(), grouped.std(ddof=0)
    lines = ["| data / teacher | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for cell in mean.index:
        best = mean.loc[cell, list(STRATEGIES)].max()
        texts = [f"{mean.loc[cell, name]:.2f} ± {spread.loc[cell, name]:.2f}" for name in columns]
        marked = [
            f"**{text}**" if name in STRATEGIES and mean.loc[cell, name] == best else text
            for name, text in zip(columns, texts, strict=True)
        ]
        lines.append(f"| {cell} | " + " | ".join(marked) + " |")
    return "\n".join(lines)


def pooled_table(points: pd.DataFrame, differences: pd.DataFrame) -> str:
    """Differences over cells and over runs, whether they are too small to matter, and what could be seen.

    A cell's seeds share graph and teacher's kind, so that a test over runs takes for independent what is not: its
    p is for orientation.
    """
    head = ["difference"]
    for part in ("cells", "runs"):
        head += [f"over {part} [95 %]", f"TOST ± {MARGIN}, p", "power", "detectable"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for (reference, strategy), rows in differences.groupby(["reference", "strategy"], sort=False):
        if (reference, strategy) == ("forward", "none"):
            continue  # the first row, turned around
        gaps, texts = points[strategy] - points[reference], []
        for part, values in (("all cells", gaps.groupby(level="cell", sort=False).mean()), ("all runs", gaps)):
            found, n = rows[rows.part == part].iloc[0], len(values)
            texts.append(f"{found['mean']:+.2f} [{found.low:+.2f}, {found.high:+.2f}]")
            texts.append(f"{tost(values, MARGIN).p_value:.2g}")
            texts.append(f"{power_of_tost(found['std'], n, MARGIN):.2f}")
            texts.append(f"{detectable_difference(found['std'], n):.2f}")
        lines.append(f"| {strategy} − {reference} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def ranks_table(points: pd.DataFrame) -> str:
    """Friedman's test over the cells, and how often a strategy is best."""
    table = means(points)
    found, shares = friedman(table.to_numpy()), best_share(table.to_numpy())
    lines = [
        f"Friedman over {len(table)} cells: χ² = {found.statistic:.2f}, p = {found.p_value:.3g}; ranks differ at "
        f"5 % if they are {found.critical_difference:.2f} apart.",
        "",
        "| strategy | mean rank | best or joint best in |",
        "|---|---|---|",
    ]
    for name, rank, share in zip(table.columns, found.mean_ranks, shares, strict=True):
        lines.append(f"| {name} | {rank:.2f} | {round(share * len(table))} of {len(table)} |")
    return "\n".join(lines)


def angles_table(frame: pd.DataFrame) -> str:
    """Mean angle between the pulls of two teacher layers, and how many are acute, by strategy."""
    rows = frame[frame.strategy != "mlp"].groupby("strategy", sort=False)
    keys = [f"{prefix}{name}_{when}" for prefix in ("", "unit_") for when in ("before", "after") for name in NAMES]
    lines = [
        "| strategy | before | acute | after | acute | unit rows, before | acute | after | acute |",
        "|---" * (len(keys) + 1) + "|",
    ]
    for strategy, values in rows[keys].mean().iterrows():
        texts = [f"{values[key]:.1f}°" if "angle" in key else f"{100 * values[key]:.0f} %" for key in keys]
        lines.append(f"| {strategy} | " + " | ".join(texts) + " |")
    return "\n".join([*lines, "", spread_line(frame)])


def spread_line(frame: pd.DataFrame) -> str:
    """How far matched students lie apart, in a run and in a cell's means, and whether wider angles go with it."""
    matched = frame[~frame.strategy.isin(["mlp", "none"])]
    runs = 100 * matched.groupby(["cell", "seed"], sort=False).test.agg(np.ptp)
    cells = 100 * matched.groupby(["cell", "strategy"], sort=False).test.mean().groupby("cell", sort=False).agg(
        np.ptp
    )
    seeds = 100 * matched.groupby(["cell", "strategy"], sort=False).test.std(ddof=0).mean()
    found = stats.spearmanr(matched.groupby("cell", sort=False).unit_angle_before.mean(), cells)
    return (
        f"Best minus worst matching: {runs.mean():.2f} points in a run, {cells.mean():.2f} between a cell's means "
        f"(at most {cells.max():.2f}); seeds of one matching spread by {seeds:.2f} (standard deviation). Rank "
        f"correlation of a cell's spread with its angle at the start (unit rows): {found.statistic:+.2f}, "
        f"p = {found.pvalue:.2g}, {len(cells)} cells."
    )
