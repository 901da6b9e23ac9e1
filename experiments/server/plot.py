"""Memory over ten minutes, and how long answers took meanwhile.

python experiments/server/plot.py [--out DIR]
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {1: "#1f5fd0", 2: "#d0641f"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/server"), help="where run.py wrote its tables")
    out = parser.parse_args().out
    figure, (memory, times) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for workers, colour in COLOURS.items():
        rows = _read(out / f"memory_{workers}.csv")
        minutes, size = ([float(row[key]) for row in rows] for key in ("seconds", "megabytes"))
        memory.plot([value / 60 for value in minutes], size, color=colour, label=_label(workers))
    memory.set(xlabel="minutes of mixed load", ylabel="resident, all workers, MB", ylim=(0, None))
    memory.legend(loc="lower right")
    rows = [row for row in _read(out / "load.csv") if row["kind"] != "all"]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    for workers, colour in COLOURS.items():
        own = [row for row in rows if int(row["workers"]) == workers]
        at = [kinds.index(row["kind"]) + 0.2 * (workers - 1.5) for row in own]
        low, high = ([float(row[key]) for row in own] for key in ("p50_ms", "p99_ms"))
        times.hlines(at, low, high, color=colour)
        times.plot(low, at, "o", color=colour, label=_label(workers))
        times.plot(high, at, "|", color=colour)
    times.set(xscale="log", xlabel="ms, from the median (dot) to p99 (bar)", yticks=range(len(kinds)))
    times.set_xticks([20, 50, 100, 200], ["20", "50", "100", "200"])
    times.set_xticks([], minor=True)
    times.set_yticklabels([f"{kind} row{'' if kind.endswith(' 1') else 's'}" for kind in kinds])
    times.grid(axis="x", alpha=0.3)
    figure.savefig(out / "plot.png", dpi=110)


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as handle:
        return list(csv.DictReader(handle))


def _label(workers: int) -> str:
    return f"{workers} worker{'' if workers == 1 else 's'}"


if __name__ == "__main__":
    main()
