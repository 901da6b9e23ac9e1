"""The tables of the study, from the rows of its results; all scores in points (percent).

python experiments/temperature/tables.py [--check]    # those of README.md, from expected.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import readme  # experiments/readme.py
from study import CELLS, GRID, METHODS, RULES

from graphkd.evaluation import detectable_difference, friedman, holm, paired_difference, tost

HERE = Path(__file__).parent
SCORES = ("val", "test", "test_ece", "epochs", "seconds")
COLUMNS = ("cell", "seed", "model", *SCORES)
MODELS = ("teacher", *GRID, *RULES)
MARGIN = 0.5
"""Points that do not matter."""
LEVEL = 0.05
BEST = "best of the grid"
Rows = Sequence[dict[str, Any]]


def read(file: Path) -> list[dict[str, Any]]:
    """Returns the rows of a csv."""
    with file.open() as stream:
        return [
            {key: float(value) if key in SCORES else value for key, value in row.items() if value != ""}
            for row in csv.DictReader(stream)
        ]


def scores(rows: Rows, cell: str, model: str, key: str = "test") -> NDArray[np.float64]:
    """Returns a score by seed."""
    return np.array([100 * row[key] for row in rows if row["cell"] == cell and row["model"] == model])


def chosen(rows: Rows, cell: str) -> str:
    """Returns the fixed temperature with the largest mean validation score; the first of equal ones."""
    return max(GRID, key=lambda model: round(float(scores(rows, cell, model, "val").mean()), 6))


def to_markdown(rows: Rows) -> str:
    """Returns the table of cells, and one of differences per method."""
    cells = [cell for cell in CELLS if any(row["cell"] == cell for row in rows)]
    parts = [scores_table(rows, cells)]
    for method in METHODS:
        own = [cell for cell in cells if CELLS[cell].method == method]
        if own:
            parts += [f"**{method.upper()}**", differences_table(rows, own), ranks_line(rows, own)]
    return "\n\n".join(parts)


def scores_table(rows: Rows, cells: list[str]) -> str:
    """Returns mean test accuracies, a line per cell; in parentheses the fixed temperature that was chosen."""
    heads = ["cell", "teacher", "T = 1", BEST, *RULES]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for cell in cells:
        best = chosen(rows, cell)
        values = [scores(rows, cell, model) for model in ("teacher", "T = 1", best, *RULES)]
        texts = [f"{value.mean():.2f}" if value.size else "–" for value in values]
        texts[2] += f" ({best})"
        lines.append(f"| {cell} ({values[1].size}) | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def differences_table(rows: Rows, cells: list[str]) -> str:
    """Returns differences to the grid's best over the cells' means and over all runs, and what they can show.

    Seeds of a cell share a graph, so that a test over runs takes for independent what is not. A rule counts where
    the interval over cells is above 0 and a t-test of the cells, Holm's correction for all rules, is below 5 %:
    of few cells the interval is too narrow.
    """
    heads = ["rule − best", "cells", "over cells [95 %]", "p (Holm)", f"TOST ± {MARGIN}, p", "detectable"]
    heads += ["over runs [95 %]", "− T = 1, over cells", "counts"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    gaps = {rule: gaps_to_best(rows, having(rows, cells, rule), rule) for rule in ("T = 1", *RULES)}
    gaps = {rule: values for rule, values in gaps.items() if values}
    p_values = dict(zip([*gaps][1:], holm([p_value(gaps[rule]) for rule in [*gaps][1:]]), strict=True))
    for rule, values in gaps.items():
        means, p = [float(gap.mean()) for gap in values], p_values.get(rule, float("nan"))
        low, over_cells = bounds(means)
        plain = [(scores(rows, c, rule) - scores(rows, c, "T = 1")).mean() for c in having(rows, cells, rule)]
        runs = bounds(list(np.concatenate(values)))[1]
        verdict = "yes" if low > 0 and p < LEVEL else "no"
        parts = [rule, str(len(means)), over_cells, f"{p:.2g}" if rule in p_values else "–", *equivalence(means)]
        lines.append("| " + " | ".join([*parts, runs, bounds(plain)[1], verdict]) + " |")
    return "\n".join(lines)


def gaps_to_best(rows: Rows, cells: list[str], rule: str) -> list[NDArray[np.float64]]:
    """Returns the differences to the chosen fixed temperature by seed, of every cell."""
    return [scores(rows, cell, rule) - scores(rows, cell, chosen(rows, cell)) for cell in cells]


def p_value(gaps: Sequence[NDArray[np.float64]]) -> float:
    """Returns the p of a two-sided t-test of the cells' means, 1 where they are too few or alike."""
    means = np.array([gap.mean() for gap in gaps])
    return float(stats.ttest_1samp(means, 0).pvalue) if len(means) > 1 and np.ptp(means) > 1e-9 else 1.0


def having(rows: Rows, cells: list[str], rule: str) -> list[str]:
    """Returns the cells in which a rule was run."""
    return [cell for cell in cells if scores(rows, cell, rule).size]


def bounds(values: Sequence[float]) -> tuple[float, str]:
    """Returns the lower bound of a mean's interval, and the mean with both."""
    found = paired_difference(values, [0.0] * len(values))
    return found.low, f"{found.mean:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


def equivalence(values: Sequence[float]) -> list[str]:
    """Returns the p of equivalence within the margin, and the difference that would be seen with power 0.8."""
    std = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if std == 0:
        return ["–", "–"]
    return [f"{tost(values, MARGIN).p_value:.2g}", f"{detectable_difference(std, len(values)):.2f}"]


def ranks_line(rows: Rows, cells: list[str]) -> str:
    """Returns Friedman's test of all rules and the grid's best over the cells."""
    rules = [rule for rule in RULES if len(having(rows, cells, rule)) == len(cells)]
    if len(cells) < 2:
        return ""
    table = [
        [round(float(scores(rows, cell, model).mean()), 2) for model in (chosen(rows, cell), *rules)]
        for cell in cells
    ]
    found = friedman(table)
    places = sorted(zip(found.mean_ranks, (BEST, *rules), strict=True))
    return (
        f"Friedman over {len(cells)} cells: χ² = {found.statistic:.1f}, p = {found.p_value:.2g}; two differ at "
        f"5 % if their mean ranks are {found.critical_difference:.1f} apart. Mean ranks: "
        + ", ".join(f"{name} {rank:.1f}" for rank, name in places)
        + "."
    )


def committed() -> str:
    """Returns the tables of the committed rows."""
    return to_markdown(read(HERE / "expected.csv"))


if __name__ == "__main__":
    readme.rewrite(HERE, committed)
