"""Measured and published scores of a method, from the committed tables of ``experiments/methods``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parents[2] / "experiments" / "methods"
BASELINE = "glnn"


def measured(method: str) -> list[tuple[str, str, str, str]]:
    """Returns the test accuracy of a method per cell: cell, seeds, mean and spread, difference to GLNN.

    The difference is paired: over the seeds that both have.

    Args:
        method: its name in ``expected.csv``.
    """
    runs = pd.read_csv(FOLDER / "expected.csv")
    cells = runs[runs["model"] == method]["cell"].drop_duplicates()
    return [_cell(runs[runs["cell"] == cell], str(cell), method) for cell in cells]


def _cell(runs: pd.DataFrame, cell: str, method: str) -> tuple[str, str, str, str]:
    scores = 100 * runs.pivot_table(index="seed", columns="model", values="test")
    own = scores[method].dropna()
    pairs = (own - scores[BASELINE]).dropna() if BASELINE in scores else own[:0]
    difference = f"{pairs.mean():+.1f}".replace("-", "−") if len(pairs) and method != BASELINE else "–"
    return cell, str(len(own)), f"{own.mean():.1f}\u00a0±\u00a0{own.std(ddof=0):.1f}", difference


def published(method: str) -> list[tuple[str, str, str, str]]:
    """Returns the published scores of a method: data set, setting, score, source.

    Args:
        method: its name in ``published.csv``.
    """
    table = pd.read_csv(FOLDER / "published.csv")
    rows = table[table["method"] == method]
    return [(row.dataset, row.setting, _score(row.score, row.std), row.source) for row in rows.itertuples()]


def _score(mean: float, std: float) -> str:
    return f"{mean:.2f}" if pd.isna(std) else f"{mean:.2f}\u00a0±\u00a0{std:.2f}"
