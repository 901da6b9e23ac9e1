"""Rows of finished searches, and the tables of the README: python experiments/ladder/tables.py [--check]"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import readme  # experiments/readme.py
import sheets  # experiments/sheets.py
from study import CELLS, READS  # experiments/ladder/study.py

from graphkd.tuning.tuned import PLAIN, SUMMARY, WINNER

HERE = Path(__file__).parent
MODELS = {
    "student": "chosen student",
    "teacher": "its teacher",
    "mlp": "plain MLP of its shape",
    "mlp_same_inputs": "plain MLP of its inputs",
    "best_mlp": "best plain MLP",
}
"""``best_mlp`` was searched as the students were, and reads ``x``."""


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Returns a row per model and new seed of every finished search in a folder."""
    rows: list[dict[str, Any]] = []
    for name, reads, path in _finished(folder):
        rows += _runs(name, reads, path / WINNER, {key: key for key in MODELS if key != "best_mlp"})
        if (path / PLAIN).exists():
            rows += _runs(name, reads, path / PLAIN, {"student": "best_mlp"})
    return rows


def searches_of(folder: Path) -> list[dict[str, Any]]:
    """Returns a row per finished search: how many students were tried, how long, and what was chosen."""
    rows = []
    for name, reads, path in _finished(folder):
        summary = json.loads((path / SUMMARY).read_text())
        settings = " ".join(summary["winner"]["overrides"])
        facts = {"tried": summary["tried"], "seconds": int(summary["seconds"]), "settings": settings}
        rows.append({"cell": name, "reads": reads, **facts})
    return rows


def csv_of(rows: list[dict[str, Any]]) -> str:
    """Returns rows as CSV."""
    return sheets.to_csv(list(rows[0]), rows) if rows else ""


def read_csv(file: Path) -> list[dict[str, Any]]:
    """Returns the rows of a CSV file."""
    with file.open() as lines:
        return list(csv.DictReader(lines))


def to_markdown(rows: list[dict[str, Any]], searches: list[dict[str, Any]]) -> str:
    """Returns a table for each of what a student may read."""
    return "\n\n".join(_table(reads, rows, searches) for reads in READS)


def _table(reads: str, rows: list[dict[str, Any]], searches: list[dict[str, Any]]) -> str:
    lines = [
        f"**May read {'x alone' if reads == 'x' else 'x, positions and neighbours'}**",
        "",
        "| data | tried | chosen | student | teacher | best plain MLP | same inputs | − better MLP | published |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in searches:
        if each["reads"] == reads:
            found = {model: _scores(rows, each["cell"], reads, model) for model in MODELS}
            lines.append(_line(each, found))
    return "\n".join(lines)


def _line(search: dict[str, Any], found: dict[str, list[float]]) -> str:
    cell = CELLS[search["cell"]]
    published = (cell.published or {}).get(search["reads"])
    baselines = [np.mean(found[name]) for name in ("mlp", "mlp_same_inputs", "best_mlp") if found[name]]
    cells = [
        cell.title,
        str(search["tried"]),
        chosen(search["settings"]),
        *(_shown(found[name]) for name in ("student", "teacher", "best_mlp", "mlp_same_inputs")),
        f"{100 * (np.mean(found['student']) - max(baselines)):+.2f}",
        "–" if published is None else f"{published[0]:.1f} {published[1]}",
    ]
    return f"| {' | '.join(cells)} |"


def chosen(settings: str) -> str:
    """Returns what was chosen, in short."""
    found = dict(each.split("=", 1) for each in settings.split())
    parts = [found["method"].replace("mlp", "plain MLP"), found.get("teacher", "")]
    parts += [found[key] for key in ("transform", "matching") if found.get(key, "none") != "none"]
    encoder = {"raw": "", "propagated": "neighbours"}.get(found["encoder"], found["encoder"])
    features = found.get("encoder.features", "")
    shape = f"{found['student.num_layers']} x {found['student.hidden_dim']}"
    return ", ".join(part for part in (*parts, encoder, features, shape) if part)


def _scores(rows: list[dict[str, Any]], cell: str, reads: str, model: str) -> list[float]:
    keys = (cell, reads, model)
    return [float(row["test"]) for row in rows if (row["cell"], row["reads"], row["model"]) == keys]


def _shown(scores: list[float]) -> str:
    return f"{100 * np.mean(scores):.2f} ± {100 * np.std(scores):.2f}" if scores else "–"


def _finished(folder: Path) -> Iterable[tuple[str, str, Path]]:
    for name in CELLS:
        for reads in READS:
            if (path := folder / f"{name}_{reads}").joinpath(SUMMARY).exists():
                yield name, reads, path


def _runs(name: str, reads: str, run: Path, models: dict[str, str]) -> list[dict[str, Any]]:
    metrics = json.loads((run / "metrics.json").read_text())
    return [
        {"cell": name, "reads": reads, "model": model, "seed": seed["seed"], **_both(seed[key])}
        for seed in metrics["seeds"]
        for key, model in models.items()
        if key in seed
    ]


def _both(scores: dict[str, float]) -> dict[str, float]:
    return {"val": scores["val"], "test": scores["test"]}


def committed() -> str:
    """Returns the tables of the committed rows."""
    return to_markdown(read_csv(HERE / "expected.csv"), read_csv(HERE / "searches.csv"))


if __name__ == "__main__":
    readme.rewrite(HERE, committed)
