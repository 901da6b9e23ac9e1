"""What does a balance of classes buy, and what does it cost? See README.md beside this file.

python experiments/balance/run.py --data-dir data --output-dir runs/balance [block …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped. It ends with the rows and tables of all that is there; --tables makes these alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import sheets  # experiments/sheets.py
from cells import view_of  # experiments/cells.py
from processes import run_all  # experiments/processes.py
from study import BLOCKS, Cell, run_seed  # experiments/balance/study.py
from tables import COLUMNS, to_markdown  # experiments/balance/tables.py

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed
from graphkd.training.stages.stage_cache import StageCache


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("blocks", nargs="*", help=f"core by default; there are {', '.join(BLOCKS)}")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/balance"))
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each; 1 is this one")
    parser.add_argument("--tables", action="store_true", help="train nothing: tables of what is there")
    args = parser.parse_args(arguments)
    blocks = args.blocks or ["core"]
    if unknown := set(blocks) - set(BLOCKS):
        parser.error(f"no block is called {', '.join(sorted(unknown))}: there are {', '.join(BLOCKS)}")
    jobs = list(dict.fromkeys(job for block in blocks for job in jobs_of(block)))
    if not args.tables:
        missing = [job for job in jobs if not file_of(args.output_dir, *job[:2]).exists()]
        run_all([partial(run_job, *job, args.data_dir, args.output_dir) for job in missing], args.workers)
    files = [file_of(args.output_dir, *job[:2]) for job in jobs]
    rows = [row for file in files if file.exists() for row in json.loads(file.read_text())]
    kept = [{key: row[key] for key in COLUMNS} for row in rows]
    write_text(args.output_dir / "results.csv", sheets.to_csv(COLUMNS, kept))
    print(to_markdown(rows))


def jobs_of(block: str) -> list[tuple[Cell, int, int]]:
    """Returns cells, seeds and epochs: a seed of every cell, then the next."""
    plan = BLOCKS[block]
    return [(cell, seed, plan.max_epochs) for seed in plan.seeds for cell in plan.cells]


def file_of(folder: Path, cell: Cell, seed: int) -> Path:
    """Returns the file of a seed of a cell."""
    return folder / "cells" / f"{cell.name}_{seed}.json"


def run_job(cell: Cell, seed: int, max_epochs: int, data_dir: str, folder: Path) -> str:
    """Trains, and writes the file."""
    view = view_of(composed(cell.overrides("none")), seed, data_dir)
    file = file_of(folder, cell, seed)
    rows = run_seed(cell, seed, view, StageCache(folder / "cache"), max_epochs)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, rows)
    return file.stem


if __name__ == "__main__":
    main()
