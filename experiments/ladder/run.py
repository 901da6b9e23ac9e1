"""The best honest student of every data set, found by ``graphkd tune``; see README.md beside this file.

python experiments/ladder/run.py --data-dir data --output-dir runs/ladder [cell …]

Every search is a folder, in which it goes on where the command was stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
from arguments import parsed, study_parser  # experiments/arguments.py
from study import CELLS, READS  # experiments/ladder/study.py
from tables import csv_of, rows_of, searches_of, to_markdown  # experiments/ladder/tables.py

import graphkd
from graphkd.atomic_io import write_text
from graphkd.tuning.tuned import SUMMARY


def main(arguments: list[str] | None = None) -> None:
    parser = study_parser(__doc__, CELLS, CELLS, "runs/ladder")
    parser.add_argument("--reads", nargs="+", choices=READS, default=READS)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each search, its last runs included")
    parser.add_argument("--trials", type=int, help="of each search, at most")
    parser.add_argument("--seeds", type=int, default=10, help="new ones, of the last runs")
    args = parsed(parser, CELLS, arguments)
    for name in args.names:
        for reads in args.reads:
            search(name, reads, args)
    write_text(args.output_dir / "results.csv", csv_of(rows_of(args.output_dir)))
    write_text(args.output_dir / "searches.csv", csv_of(searches_of(args.output_dir)))
    print(to_markdown(rows_of(args.output_dir), searches_of(args.output_dir)))


def search(name: str, reads: str, args: argparse.Namespace) -> None:
    """Searches one cell, unless it is finished."""
    cell, folder = CELLS[name], args.output_dir / f"{name}_{reads}"
    if (folder / SUMMARY).exists():
        return
    found = graphkd.tune(
        cell.dataset,
        minutes=args.minutes,
        trials=args.trials,
        reads=reads,
        workers=args.workers,
        seeds=args.seeds,
        output_dir=folder,
        overrides=[f"data_dir={args.data_dir}", *cell.overrides],
        tell=lambda line: print(f"{name} {reads}: {line}", flush=True),
    )
    print(f"{name} {reads}: {found.winner.metrics['mean']}", flush=True)


if __name__ == "__main__":
    main()
