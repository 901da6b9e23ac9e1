"""The README's table, from committed results.

python experiments/methods/small_table.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tables import committed_rows, percent, reads

MODELS = {
    "teacher": "teacher, a GNN",
    "mlp": "plain MLP",
    "glnn": "distilled MLP: GLNN",
    "mlp_neighbours": "plain MLP of neighbours' rows",
    "infgrand": "distilled MLP of neighbours' rows: InfGraND",
}
CELLS = {
    "Cora": ("cpf_cora", "test"),
    "CiteSeer": ("cpf_citeseer", "test"),
    "Cora, new nodes": ("cpf_cora_production", "test_ind"),
    "CiteSeer, new nodes": ("cpf_citeseer_production", "test_ind"),
}
"""Column → cell, and the score of it."""


def small_table(rows: list[dict[str, Any]]) -> str:
    """Returns the table as Markdown: a line per model, with the number of seeds in the head of each column."""
    chosen = {
        column: [row for row in rows if row["cell"] == cell and row.get(score) not in ("", None)]
        for column, (cell, score) in CELLS.items()
    }
    seeds = [len([row for row in found if row["model"] == "glnn"]) for found in chosen.values()]
    heads = [f"{column} ({count})" for column, count in zip(chosen, seeds, strict=True)]
    lines = ["| model | needs neighbours? | " + " | ".join(heads) + " |", "|---" * (2 + len(heads)) + "|"]
    for model, name in MODELS.items():
        needs = "no" if reads(model) == "x" else "yes"
        cells = [
            short(percent([row for row in found if row["model"] == model], CELLS[column][1]))
            for column, found in chosen.items()
        ]
        lines.append(f"| {name} | {needs} | {' | '.join(cells)} |")
    return "\n".join(lines)


def short(values: list[float]) -> str:
    """Returns mean ± population standard deviation, with one decimal."""
    return f"{np.mean(values):.1f} ± {np.std(values):.1f}"


if __name__ == "__main__":
    print(small_table(committed_rows()))
