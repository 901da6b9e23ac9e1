"""Draws plot.png from expected.csv: seconds of every stage against what varies, both on a logarithmic scale.

python experiments/scaling/plot.py    (needs matplotlib)
"""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
NAMES = {"nodes": "nodes", "degree": "directed edges per node", "features": "features", "classes": "classes"}


def main() -> None:
    with (HERE / "expected.csv").open() as file:
        rows = list(csv.DictReader(file))
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    figure, axes = plt.subplots(1, len(NAMES), figsize=(15, 4.2), sharey=True, layout="constrained")
    for place, (sweep, name) in zip(axes, NAMES.items(), strict=True):
        for number, stage in enumerate(stages):
            points = [row for row in rows if (row["sweep"], row["stage"]) == (sweep, stage)]
            x, y = ([float(row[key]) for row in points] for key in (sweep, "seconds"))
            place.loglog(x, y, "o-", color=f"C{number}", markersize=3, label=stage)
        sizes = sorted({int(row[sweep]) for row in rows if row["sweep"] == sweep})
        place.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=40)
        place.set_xticks([], minor=True)
        place.set_xlabel(name)
        place.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("seconds")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    figure.savefig(HERE / "plot.png", dpi=110)


if __name__ == "__main__":
    main()
