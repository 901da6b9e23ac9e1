"""The tables of the study, from rows of its results; all scores and differences in points (percent).

python experiments/views/tables.py [--check]    # those of README.md, from expected.csv
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import readme  # experiments/readme.py
from study import METHODS, TITLES, VARIANTS  # experiments/views/study.py

from graphkd.evaluation import detectable_difference, friedman, paired_difference, tost

HERE = Path(__file__).parent
MARGIN = 0.5
"""Points that do not matter."""
COLUMNS = ("dataset", "teacher", "seed", "method", "variant", "val", "test", "teacher_test", "epochs")
PAIRS = [(variant, "none") for variant in VARIANTS if variant != "none"]
PAIRS += [(f"views_{count}", f"ensemble_{count + 1}") for count in (1, 3, 5)]
"""Differences that are shown: from one teacher, and from as many networks."""


def committed() -> str:
    """Returns the tables of the committed rows."""
    return to_markdown(rows_from(HERE / "expected.csv"))


def rows_from(file: Path) -> list[dict[str, Any]]:
    """Returns the rows of a csv."""
    rows: list[dict[str, Any]] = pd.read_csv(file).to_dict("records")
    return rows


def to_markdown(rows: list[dict[str, Any]]) -> str:
    """Returns scores, differences and ranks of every method, then those of their teachers."""
    frame = pd.DataFrame(rows)
    frame["cell"] = [f"{name} / {kind.upper()}" for name, kind in zip(frame.dataset, frame.teacher, strict=True)]
    parts = []
    for method in METHODS:
        points = points_of(frame[frame.method == method], "test")
        tables = [scores_table(points), differences_table(points), ranks_line(points)]
        parts += [f"**{method.upper()}: the student**", *tables]
    glnn = frame[frame.method == METHODS[0]]
    parts += ["**What it learned from: the teacher, or the ensemble itself**"]
    return "\n\n".join([*parts, scores_table(points_of(glnn, "teacher_test"))])


def points_of(frame: pd.DataFrame, score: str) -> pd.DataFrame:
    """Returns a score in percent, cells and seeds by variants."""
    table = 100 * frame.pivot(index=["cell", "seed"], columns="variant", values=score)[list(VARIANTS)]
    return table.reindex(frame[["cell", "seed"]].drop_duplicates().apply(tuple, axis=1))


def scores_table(points: pd.DataFrame) -> str:
    """Returns mean ± population standard deviation over the seeds in brackets; the best of a cell in bold."""
    grouped = points.groupby(level="cell", sort=False)
    mean, spread, seeds = grouped.mean(), grouped.std(ddof=0), grouped.size()
    lines = ["| data / teacher | " + " | ".join(TITLES.values()) + " |", "|---" * (len(TITLES) + 1) + "|"]
    for cell in mean.index:
        spreads = [f" ± {spread.loc[cell, name]:.2f}" if seeds[cell] > 1 else "" for name in VARIANTS]
        texts = [f"{mean.loc[cell, name]:.2f}{spread}" for name, spread in zip(VARIANTS, spreads, strict=True)]
        best = mean.loc[cell].max()
        marked = [
            f"**{text}**" if mean.loc[cell, name] == best else text
            for name, text in zip(VARIANTS, texts, strict=True)
        ]
        lines.append(f"| {cell} ({seeds[cell]}) | {' | '.join(marked)} |")
    return "\n".join(lines)


def differences_table(points: pd.DataFrame) -> str:
    """Returns paired differences over the cells' means and over runs, with tests of equivalence.

    Seeds of a cell share its graph, so that a test over runs takes for independent what is not: its p is for
    orientation.
    """
    head = ["difference"]
    for part in ("cells", "runs"):
        head += [f"over {part} [95 %]", f"TOST ± {MARGIN}, p", "detectable"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for variant, reference in PAIRS:
        gaps = points[variant] - points[reference]
        texts = [text for each in (gaps.groupby(level="cell").mean(), gaps) for text in compared(each)]
        lines.append(f"| {TITLES[variant]} − {TITLES[reference]} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def compared(gaps: pd.Series) -> list[str]:
    """Returns the mean difference with its interval, the test of equivalence, and what could be detected."""
    found = paired_difference(gaps, [0.0] * len(gaps))
    if len(gaps) < 2:
        return [f"{found.mean:+.2f}", "–", "–"]
    seen = f"{detectable_difference(found.std, len(gaps)):.2f}"
    return [f"{found.mean:+.2f} [{found.low:+.2f}, {found.high:+.2f}]", f"{tost(gaps, MARGIN).p_value:.2g}", seen]


def ranks_line(points: pd.DataFrame) -> str:
    """Returns Friedman's test over the cells, and the mean ranks."""
    table = points.groupby(level="cell", sort=False).mean().round(9)
    if len(table) < 2:
        return "Ranks need two cells."
    found = friedman(table.to_numpy())
    ranks = ", ".join(f"{TITLES[name]} {rank:.2f}" for name, rank in zip(VARIANTS, found.mean_ranks, strict=True))
    return (
        f"Friedman over {len(table)} cells: χ² = {found.statistic:.2f}, p = {found.p_value:.3g}; ranks differ at "
        f"5 % if they are {found.critical_difference:.2f} apart. Mean ranks: {ranks}."
    )


if __name__ == "__main__":
    readme.rewrite(HERE, committed)
