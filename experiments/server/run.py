"""What the server takes, and what it withstands; see README.md beside this file.

python experiments/server/run.py [--part load|points|batching|hostile|document|kill …] [--minutes 10] [--out DIR]
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[1] / "latency"))
import hostile
import kill
import load
from students import SIZES, write
from timing import machine
from traffic import asks

PARTS = ("load", "points", "batching", "hostile", "document", "kill")
NAME = "student"
COLUMNS = (
    "part", "workers", "kind", "connections", "requests", "p50_ms", "p99_ms", "requests_per_s", "rows_per_s",
    "cpu_ms", "errors", "rss_first_third_mb", "rss_last_third_mb",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--minutes", type=float, default=10, help="of mixed load, for each number of workers")
    parser.add_argument("--requests", type=int, default=10_000, help="that cannot be right")
    parser.add_argument("--out", type=Path, default=Path("runs/server"), help="for tables and memory over time")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}; load average {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for part in args.part:
            _measure(part, Path(folder) / NAME, args)


def _measure(part: str, run: Path, args: argparse.Namespace) -> None:
    bundle, rows = run / "bundle", SIZES[0].rows(512)
    if not bundle.is_dir():
        write(SIZES[0], bundle)
    found = asks(bundle, NAME, "native", rows)
    if part in ("hostile", "document", "kill"):
        said = {
            "hostile": lambda: hostile.raw_bytes(bundle, NAME, rows, args.requests),
            "document": lambda: hostile.by_the_document(bundle, rows, args.requests // 10),
            "kill": lambda: kill.killed(bundle, [ask for kind in found.values() for ask in kind], 10),
        }[part]()
        print("\n".join(said), flush=True)
        return
    lines: list[dict[str, Any]] = []
    if part == "batching":
        lines = load.batching(bundle, found, 5)
    for workers in (1, 2) if part != "batching" else ():
        if part == "load":
            lines += load.mixed(bundle, found, args.minutes, workers, args.out)
        else:
            lines += load.points(bundle, found, 5, workers)
    _write(args.out / f"{part}.csv", lines)


def _write(file: Path, lines: list[dict[str, Any]]) -> None:
    with file.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    print(file.read_text(), flush=True)


if __name__ == "__main__":
    main()
