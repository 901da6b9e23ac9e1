"""From rows of runs to tables and tests; scores are in fractions, differences in points (percent)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from variants import FAMILIES, Family

from graphkd.atomic_io import write_text
from graphkd.evaluation import holm, paired_difference

ALL = "all"
"""All runs of all data sets together."""
LEVEL = 0.05


def write_tables(rows: list[dict[str, Any]], folder: Path) -> str:
    """Writes ``results.csv``, ``differences.csv`` and ``tables.md``; returns the last."""
    frame = pd.DataFrame(rows)
    points = 100 * frame.pivot(index=["dataset", "seed"], columns="variant", values="test")
    points = points.reindex(frame[["dataset", "seed"]].drop_duplicates().apply(tuple, axis=1))
    points.index = pd.MultiIndex.from_tuples(points.index, names=["dataset", "seed"])
    found = pd.DataFrame([row for family in FAMILIES for row in differences(family, points)])
    tables = [family_table(name, points, found) for name in FAMILIES if not found.empty]
    text = "\n\n".join(table for table in tables if table)
    write_text(folder / "results.csv", frame.to_csv(index=False, float_format="%.6g"))
    write_text(folder / "differences.csv", found.to_csv(index=False, float_format="%.6g"))
    write_text(folder / "tables.md", text + "\n")
    return text


def differences(name: str, points: pd.DataFrame) -> list[dict[str, Any]]:
    """Every variant of a family against its reference, on each data set and on all, Holm's correction over those.

    Only seeds that have both; a part with fewer than two of them says nothing.
    """
    family, rows = FAMILIES[name], []
    if family.reference not in points:
        return []
    others = [variant for variant in family.variants if variant in points and variant != family.reference]
    parts = {**dict(list(points.groupby(level="dataset", sort=False))), ALL: points}
    for part, table in parts.items():
        mine = []
        for variant in others:
            gaps = (table[variant] - table[family.reference]).dropna()
            if len(gaps) > 1:
                found = paired_t(gaps.to_numpy().round(9))
                mine.append({"family": name, "part": part, "variant": variant, **found})
        corrected = holm([row["p"] for row in mine]) if mine else []
        rows += [{**row, "p_holm": value} for row, value in zip(mine, corrected, strict=True)]
    return rows


def paired_t(gaps: np.ndarray) -> dict[str, float]:
    """Mean difference, its t interval of 95 %, its bootstrap interval, and p of Student's paired test.

    Five pairs are too few for the bootstrap, whose interval then holds the mean in 83 of 100 cases.
    """
    boot = paired_difference(gaps, np.zeros_like(gaps))
    low = high = boot.mean
    p = 1.0 if boot.mean == 0 else 0.0
    if boot.std > 0:
        test = stats.ttest_1samp(gaps, 0.0)
        (low, high), p = test.confidence_interval(1 - LEVEL), test.pvalue
    bootstrap = {"boot_low": boot.low, "boot_high": boot.high}
    return {"mean": boot.mean, "low": low, "high": high, **bootstrap, "p": p, "n": boot.n}


def family_table(name: str, points: pd.DataFrame, found: pd.DataFrame) -> str:
    """Mean ± population standard deviation per data set, and what is different from the reference."""
    family = FAMILIES[name]
    rows = [variant for variant in dict.fromkeys([family.reference, *family.variants]) if variant in points]
    if family.reference not in points or len(rows) == 1:
        return ""
    datasets = list(dict.fromkeys(points.index.get_level_values("dataset")))
    lines = [
        f"### {family.title}",
        "",
        *([f"All with {_keys(family.shared)}.", ""] if family.shared else []),
        "| variant | what is set | " + " | ".join(datasets) + " | difference over all [95 %] | p (Holm) |",
        "|---" * (len(datasets) + 4) + "|",
    ]
    mine = found[found.family == name] if not found.empty else found
    for variant in rows:
        cells = [_score(points, mine, dataset, variant) for dataset in datasets]
        texts = [variant, _keys(family.variants.get(variant, ())), *cells, *_overall(mine, family, variant)]
        lines.append(f"| {' | '.join(texts)} |")
    return "\n".join(lines)


def _keys(keys: Iterable[str]) -> str:
    return " ".join(f"`{key}`" for key in keys)


def _score(points: pd.DataFrame, found: pd.DataFrame, dataset: str, variant: str) -> str:
    values = points.loc[dataset, variant].dropna()
    text = f"{values.mean():.2f} ± {values.std(ddof=0):.2f}" if len(values) else ""
    row = found[(found.part == dataset) & (found.variant == variant)]
    return f"**{text}**" if len(row) and row.p_holm.item() < LEVEL else text


def _overall(found: pd.DataFrame, family: Family, variant: str) -> tuple[str, str]:
    row = found[(found.part == ALL) & (found.variant == variant)]
    if variant == family.reference or row.empty:
        return "reference" if variant == family.reference else "", ""
    one = row.iloc[0]
    return f"{one['mean']:+.2f} [{one.low:+.2f}, {one.high:+.2f}]", f"{one.p_holm:.2g}"
