"""Rows of results, from files of seeds and as csv."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def to_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the rows, one a line, with four digits of a fraction; what a row lacks is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: f"{value:.4f}" if isinstance(value, float) else value for key, value in row.items()})
    return text.getvalue()


def rows_of(
    folder: Path, cells: Iterable[str], models: Sequence[str], scores: Sequence[str]
) -> list[dict[str, Any]]:
    """Returns one row per model of a seed of a cell, of the files ``folder/cell/seed.json`` that are there."""
    rows = []
    for cell in cells:
        for file in sorted((folder / cell).glob("*.json"), key=lambda file: int(file.stem)):
            found = json.loads(file.read_text())
            for model in (model for model in models if model in found):
                kept = {key: found[model][key] for key in scores if key in found[model]}
                rows.append({"cell": cell, "seed": int(file.stem), "model": model, **kept})
    return rows
