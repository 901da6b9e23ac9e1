"""Draws plot.png from expected.csv: memory and rows per second against the rows of a file.

python experiments/batch_scoring/plot.py    (needs matplotlib)
"""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent


def main() -> None:
    with (HERE / "expected.csv").open() as file:
        lines = [line for line in csv.DictReader(file) if line["part"] == "sizes"]
    rows = [int(line["rows"]) for line in lines]
    figure, (memory, speed) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    memory.plot(rows, [int(line["megabytes"]) for line in lines], "o-")
    memory.axhline(1000, color="grey", linestyle=":")
    memory.set_ylim(0, 1100)
    memory.set_ylabel("MB at most")
    for key, name in (("bare_seconds", "the runtime alone"), ("seconds", "graphkd predict")):
        speed.plot(
            rows, [count / float(line[key]) for count, line in zip(rows, lines, strict=True)], "o-", label=name
        )
    speed.set_ylim(0)
    speed.set_ylabel("rows per second")
    speed.legend(frameon=False)
    for place in (memory, speed):
        place.set_xscale("log")
        place.set_xticks(rows, [f"{count:,}" for count in rows])
        place.set_xticks([], minor=True)
        place.set_xlabel("rows of 128 features")
        place.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "plot.png", dpi=110)


if __name__ == "__main__":
    main()
