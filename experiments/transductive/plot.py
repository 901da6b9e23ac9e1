"""Draws plot.png from expected.csv: every seed a dot, their mean a bar.

python experiments/transductive/plot.py    (needs matplotlib)
"""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
MODELS = {
    "mlp": "plain MLP",
    "mlp_same_inputs": "plain MLP, propagated rows",
    "teacher": "teacher (GNN)",
    "glnn": "GLNN student",
    "infgrand": "InfGraND student",
}


def main() -> None:
    with (HERE / "expected.csv").open() as file:
        rows = list(csv.DictReader(file))
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    figure, axes = plt.subplots(figsize=(16, 4), layout="constrained")
    for offset, (column, name) in enumerate(MODELS.items()):
        for place, cell in enumerate(cells):
            scores = 100 * np.array([float(row[column]) for row in rows if row["cell"] == cell and row[column]])
            x = place + 0.17 * (offset - 2)
            label = name if place == 0 else None
            axes.bar(x, scores.mean(), 0.15, color=f"C{offset}", alpha=0.35, label=label)
            axes.plot(np.full(scores.size, x), scores, ".", color=f"C{offset}")
    axes.set_xticks(
        range(len(cells)), [" / ".join(cell.rsplit("_", 1)) for cell in cells], rotation=60, ha="right"
    )
    axes.set_ylim(45, 100)
    axes.set_ylabel("test score, %")
    axes.legend(ncols=5, fontsize="small", frameon=False, loc="upper center")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "plot.png", dpi=110)


if __name__ == "__main__":
    main()
