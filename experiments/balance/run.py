"""What does a balance of classes buy, and what does it cost? See README.md beside this file.

python experiments/balance/run.py --data-dir data --output-dir runs/balance [block …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped. It ends with the rows and tables of all that is there; --tables makes these alone.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import sheets  # experiments/sheets.py
from arguments import parsed, study_parser  # experiments/arguments.py
from cells import view_of  # experiments/cells.py
from processes import run_all  # experiments/processes.py
from study import BLOCKS, RULES, Cell, run_seed, spec_of  # experiments/balance/study.py
from tables import COLUMNS, to_markdown  # experiments/balance/tables.py

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed
from graphkd.training.stages.stage_cache import StageCache


def main(arguments: list[str] | None = None) -> None:
    parser = study_parser(__doc__, BLOCKS, ["core"], "runs/balance")
    parser.add_argument("--seeds", type=int, default=5, help="of each cell, at most those of its block")
    parser.add_argument("--tables", action="store_true", help="train nothing: tables of what is there")
    args = parsed(parser, BLOCKS, arguments)
    jobs = list(dict.fromkeys(job for block in args.names for job in jobs_of(block, args.seeds)))
    files = [file_of(args.output_dir, *job[:2]) for job in jobs]
    for job, file in zip(jobs, files, strict=True):
        if file.exists() and json.loads(file.read_text())["settings"] != settings(job[0], job[2]):
            parser.error(f"{file} was made with other settings: choose another --output-dir")
    if not args.tables:
        missing = [job for job, file in zip(jobs, files, strict=True) if not file.exists()]
        run_all([partial(run_job, *job, args.data_dir, args.output_dir) for job in missing], args.workers)
    rows = [row for file in files if file.exists() for row in json.loads(file.read_text())["rows"]]
    kept = [{key: row[key] for key in COLUMNS} for row in rows]
    write_text(args.output_dir / "results.csv", sheets.to_csv(COLUMNS, kept))
    print(to_markdown(rows))


def jobs_of(block: str, seeds: int) -> list[tuple[Cell, int, int]]:
    """Returns cells, seeds and epochs: a seed of every cell, then the next."""
    plan = BLOCKS[block]
    return [(cell, seed, plan.max_epochs) for seed in plan.seeds[:seeds] for cell in plan.cells]


def file_of(folder: Path, cell: Cell, seed: int) -> Path:
    """Returns the file of a seed of a cell."""
    return folder / "cells" / f"{cell.name}_{seed}.json"


def settings(cell: Cell, max_epochs: int) -> dict[str, Any]:
    """Returns all settings of every rule's run, as JSON keeps them."""
    every = {rule: spec_of(cell, rule, max_epochs).config() for rule in RULES}
    kept: dict[str, Any] = json.loads(json.dumps(every))
    return kept


def run_job(cell: Cell, seed: int, max_epochs: int, data_dir: str, folder: Path) -> str:
    """Trains, and writes the file."""
    view = view_of(composed(cell.overrides("none")), seed, data_dir)
    file = file_of(folder, cell, seed)
    rows = run_seed(cell, seed, view, StageCache(folder / "cache"), max_epochs)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, {"settings": settings(cell, max_epochs), "rows": rows})
    return file.stem


if __name__ == "__main__":
    main()
