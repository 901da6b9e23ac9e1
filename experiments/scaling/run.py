"""Time and peak memory of every stage against nodes, edges, features and classes; see README.md beside this file.

python experiments/scaling/run.py [nodes degree features classes] [--output-dir DIR] [--compile]
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

SWEEPS = {
    "nodes": (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_449_029),
    "degree": (5, 10, 20, 50, 100),
    "features": (16, 32, 64, 128, 256, 512),
    "classes": (5, 10, 20, 40, 80, 160),
}
"""What varies; everything else is as in ``Size()``."""

FIELDS = ("sweep", "nodes", "degree", "features", "classes", "stage", "seconds", "megabytes")


@dataclass(frozen=True)
class Size:
    """Of one drawn graph.

    Args:
        nodes: ``N``.
        degree: directed edges per node, each edge in both directions.
        features: ``D``.
        classes: ``C``.
    """

    nodes: int = 300_000
    degree: int = 20
    features: int = 128
    classes: int = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweeps", nargs="*", help=f"by default {', '.join(SWEEPS)}")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/scaling"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="nothing else; of drawn logits, four rounds")
    args = parser.parse_args()
    args.output_dir.mkdir(parents=True, exist_ok=True)
    rows = [row for sweep in args.sweeps or SWEEPS for row in measured(sweep, args)]
    write(args.output_dir / "points.csv", rows)
    print("\n".join(table(rows)))


def measured(sweep: str, args: argparse.Namespace) -> list[dict[str, object]]:
    """All points of a sweep; those that were measured before are read."""
    rows: list[dict[str, object]] = []
    for value in SWEEPS[sweep]:
        size = replace(Size(), **{sweep: value})
        only = ["compile"] if args.compile else []
        file = args.output_dir / f"{'_'.join([*map(str, asdict(size).values()), *only])}.json"
        if not file.exists():
            point = [str(Path(__file__).with_name("point.py")), json.dumps(asdict(size)), str(args.threads), *only]
            done = subprocess.run([sys.executable, *point], check=True, stdout=subprocess.PIPE, text=True)
            file.write_text(done.stdout)
        rows += [{"sweep": sweep, **asdict(size), **stage} for stage in json.loads(file.read_text())]
        print(f"{sweep} {value:,}", flush=True)
    return rows


def write(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def table(rows: list[dict[str, object]]) -> list[str]:
    """Slopes of log seconds over log size, upper half of each sweep: ``seconds ∝ size^slope``."""
    stages = list(dict.fromkeys(str(row["stage"]) for row in rows))
    sweeps = list(dict.fromkeys(str(row["sweep"]) for row in rows))
    lines = [f"| stage | {' | '.join(sweeps)} |", "|---" * (len(sweeps) + 1) + "|"]
    for stage in stages:
        slopes = [
            slope([row for row in rows if (row["sweep"], row["stage"]) == (sweep, stage)]) for sweep in sweeps
        ]
        lines.append(f"| {stage} | {' | '.join(f'{value:.2f}' for value in slopes)} |")
    return lines


def slope(rows: list[dict[str, object]]) -> float:
    """Least squares through the larger half of the points, where what a stage costs anyway no longer counts."""
    sweep = str(rows[0]["sweep"])
    upper = rows[len(rows) // 2 - 1 :]
    sizes, seconds = ([float(str(row[key])) for row in upper] for key in (sweep, "seconds"))
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


if __name__ == "__main__":
    main()
