"""The tables of README.md, from expected.csv: python experiments/balance/tables.py [--check]

Scores and differences are in points (percent).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import readme  # experiments/readme.py
from study import PROFILES, RULES, SCORES  # experiments/balance/study.py

from graphkd.evaluation import friedman, paired_difference, tost

HERE = Path(__file__).parent
CELL = ["dataset", "profile", "teacher", "method"]
COLUMNS = (*CELL, "seed", "rule", *SCORES)
"""Of results.csv and expected.csv: one line per rule of a seed of a cell."""
MARGIN = 1.0
"""Points that do not matter: with 20 test nodes in the rarest class one node is five points of its recall."""
TITLES = {"1": "20 per class", "0.1": "ratio 0.1", "0.05": "ratio 0.05", "tail100": "long tail, 100"}


def committed() -> str:
    """Returns the tables of the committed rows."""
    with (HERE / "expected.csv").open(newline="") as file:
        return to_markdown(list(csv.DictReader(file)))


def to_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Returns a table of differences per profile, then Friedman's tests."""
    frame = pd.DataFrame(rows).astype(dict.fromkeys(SCORES, float)).astype({"seed": int})
    frame[list(SCORES)] *= 100
    profiles = [profile for profile in PROFILES if profile in set(frame.profile)]
    return "\n\n".join(profile_table(frame[frame.profile == profile], profile) for profile in profiles)


def profile_table(frame: pd.DataFrame, profile: str) -> str:
    """Returns means of teacher and ``none``, and every rule's paired difference to ``none``.

    The interval is that of the mean over cells, each of which is the mean over its seeds: seeds of one cell share
    the graph, and are not independent.
    """
    cells, seeds = frame.groupby(CELL).ngroups, frame.groupby(CELL).seed.nunique()
    counts = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    counts += " seed each" if seeds.max() == 1 else " seeds each"
    heads = ["rule", "accuracy", "balanced accuracy", "macro-F1", "worst class"]
    lines = [f"**{TITLES[profile]}**: {cells} cells, {counts}", "", f"| {' | '.join(heads)} |"]
    lines.append("|---" * len(heads) + "|")
    for rule in ("teacher", "none"):
        means = frame[frame.rule == rule].groupby(CELL)[list(SCORES)].mean().mean()
        lines.append(f"| {rule} | " + " | ".join(f"{means[score]:.2f}" for score in SCORES) + " |")
    tables = {score: by_cell(frame, score) for score in SCORES}
    for rule in [rule for rule in RULES if rule != "none"]:
        gaps = [gap(table[rule] - table["none"]) for table in tables.values()]
        lines.append(f"| {rule} | " + " | ".join(gaps) + " |")
    return "\n".join([*lines, "", *(ranks(table, score) for score, table in tables.items() if len(table) > 1)])


def by_cell(frame: pd.DataFrame, score: str) -> pd.DataFrame:
    """Returns means over seeds, cells by rules; rounded, so that equal means tie."""
    table = frame.pivot_table(index=[*CELL, "seed"], columns="rule", values=score)
    return table[list(RULES)].groupby(level=CELL, sort=False).mean().round(9)


def gap(values: pd.Series) -> str:
    """Returns a mean difference with its interval, and ``=`` where it is equivalent to 0 at 5 %."""
    if len(values) == 1:
        return f"{values.iloc[0]:+.2f}"
    found = paired_difference(values, [0.0] * len(values))
    same = " =" if np.allclose(values, 0) or tost(values, MARGIN).p_value < 0.05 else ""
    return f"{found.mean:+.2f} [{found.low:+.2f}, {found.high:+.2f}]{same}"


def ranks(table: pd.DataFrame, score: str) -> str:
    """Returns Friedman's test over the cells, and the best mean ranks, in words."""
    if np.ptp(table.to_numpy(), axis=1).max() == 0:
        return f"- {score}: all rules are equal"
    found = friedman(table.to_numpy())
    order = sorted(zip(found.mean_ranks, table.columns, strict=True))
    best = ", ".join(f"{rule} {rank:.1f}" for rank, rule in order[:3])
    place = dict(zip(table.columns, found.mean_ranks, strict=True))["none"]
    return (
        f"- {score}: Friedman χ² = {found.statistic:.1f}, p = {found.p_value:.2g}; best mean ranks {best}; none "
        f"{place:.1f}; two differ at 5 % if {found.critical_difference:.1f} apart."
    )


if __name__ == "__main__":
    readme.rewrite(HERE, committed)
