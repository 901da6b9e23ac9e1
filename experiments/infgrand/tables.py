"""Rows → the table of cells, and what the literature states about all of them in one number.

python experiments/infgrand/tables.py [results.csv]    prints both again, by default from expected.csv
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MODELS = {
    "teacher": "teacher (GNN)",
    "mlp": "plain MLP",
    "mlp_same_inputs": "plain MLP, propagated rows",
    "glnn": "GLNN",
    "reference": "InfGraND `reference`",
    "paper": "InfGraND `paper`",
}
"""In the order of the table. GLNN and the plain MLP read x, all others neighbours as well when they answer."""
READS = {"mlp": "x", "glnn": "x"}
NAMES = {
    "cora": "Cora",
    "citeseer": "CiteSeer",
    "pubmed": "PubMed",
    "photo": "Photo",
    "cs": "CS",
    "physics": "Physics",
}
TEACHERS = ("gcn", "sage", "gat")
SETTINGS = ("inductive", "transductive")
COLUMNS = ("cell", "seed", "model", "val", "test", "epochs", "seconds")
ALL_SEEDS = 5


def rows_of(folder: Path, cells: Sequence[str]) -> pd.DataFrame:
    """One row per model, seed and cell, of the files that are there."""
    rows = []
    for cell in cells:
        for file in sorted((folder / cell).glob("*.json")):
            found = json.loads(file.read_text())
            rows += [
                {"cell": cell, "seed": int(file.stem), "model": model, **facts} for model, facts in found.items()
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def to_csv(rows: pd.DataFrame) -> str:
    """Every seed and model, one a line."""
    text: str = rows.to_csv(index=False, float_format="%.4f", quoting=csv.QUOTE_MINIMAL)
    return text


def to_markdown(rows: pd.DataFrame) -> str:
    """A table per setting: mean ± population standard deviation in percent; fewer than five seeds are marked."""
    tables = []
    for setting in SETTINGS:
        lines = [f"### {setting.capitalize()}", ""]
        heads = (f"{name}<br>reads {READS.get(model, 'neighbours')}" for model, name in MODELS.items())
        lines.append("| data / teacher | " + " | ".join(heads) + " | seconds |")
        lines.append("|---" * (len(MODELS) + 2) + "|")
        for dataset in NAMES:
            for teacher in TEACHERS:
                mine = rows[rows["cell"] == f"{dataset}_{teacher}_{setting}"]
                if len(mine):
                    lines.append(f"| {NAMES[dataset]} / {teacher.upper()} | " + " | ".join(_entries(mine)) + " |")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def headline(rows: pd.DataFrame) -> str:
    """Mean gains over cells, cells that are below plain GLNN, and the seed that is furthest behind its teacher."""
    lines = []
    for setting in SETTINGS:
        means = _means(rows[rows["cell"].str.endswith(f"_{setting}")])
        for model in ("glnn", "reference", "paper"):
            if model not in means:
                continue
            known = means.dropna(subset=[model])
            bases = {base: name for base, name in _BASES.items() if base in known}
            gains = [f"{(known[model] - known[base]).mean():+.2f} over the {name}" for base, name in bases.items()]
            line = f"- {setting}, {len(known)} cells, {MODELS[model]}: {' and '.join(gains)}"
            if model != "glnn" and "glnn" in known:
                behind = (known[model] - known["glnn"])[known[model] < known["glnn"]]
                line += f"; below GLNN in {len(behind)}{_listed(behind)}"
            lines.append(line)
    return "\n".join([*lines, f"- {_furthest_behind(rows)}", ""])


_BASES = {
    "mlp": "plain MLP",
    "mlp_same_inputs": "plain MLP of propagated rows",
    "teacher": "teacher",
}


def _listed(gaps: pd.Series) -> str:
    return "" if gaps.empty else ": " + ", ".join(f"{cell} {gap:.2f}" for cell, gap in gaps.sort_values().items())


def _means(rows: pd.DataFrame) -> pd.DataFrame:
    """Percent, ``cells × models``, over the seeds that every model of the cell has."""
    table = rows.pivot_table(index=["cell", "seed"], columns="model", values="test")
    return 100 * table.groupby("cell").mean()


def _furthest_behind(rows: pd.DataFrame) -> str:
    """By validation scores, of the distilled students: a collapsed seed would stand here."""
    table = rows.pivot_table(index=["cell", "seed"], columns="model", values="val")
    models = [model for model in ("glnn", "reference", "paper") if model in table]
    if not models:
        return "no student was distilled"
    gaps = 100 * table[models].sub(table["teacher"], axis=0).stack()
    cell, seed, model = gaps.idxmin()
    return (
        f"furthest behind its teacher on validation: {MODELS[model]}, {cell}, seed {seed}: {gaps.min():.1f} points"
    )


def _entries(rows: pd.DataFrame) -> Iterable[str]:
    best = max(_percent(rows, model).mean() for model in rows["model"].unique())
    for model in MODELS:
        scores = _percent(rows, model)
        if scores.size == 0:
            yield "–"
            continue
        text = f"{scores.mean():.2f} ± {scores.std():.2f}"
        text = f"**{text}**" if round(scores.mean(), 2) == round(best, 2) else text
        yield text if scores.size == ALL_SEEDS else f"{text} ({scores.size})"
    yield f"{rows.groupby('seed')['seconds'].sum().median():.0f}"


def _percent(rows: pd.DataFrame, model: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return 100 * rows.loc[rows["model"] == model, "test"].to_numpy()


if __name__ == "__main__":
    file = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "expected.csv"
    found = pd.read_csv(file)
    print(to_markdown(found), headline(found), sep="\n")
