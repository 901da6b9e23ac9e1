"""Does it matter which GNN layer an MLP layer is matched to? See README.md beside this file.

python experiments/layer_selection/run.py --data-dir data --output-dir runs/layer_selection [block …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped. It ends with rows, tables and plots of each block.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from analysis import analyse
from processes import run_all  # experiments/processes.py
from study import BLOCKS, PROTOCOL, Cell, run_seed

from graphkd.atomic_io import write_json
from graphkd.training.stages.stage_cache import StageCache


@dataclass(frozen=True)
class Job:
    """A seed of a cell, the file that it leaves behind, and how long its networks may train."""

    cell: Cell
    seed: int
    file: Path
    max_epochs: int


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("blocks", nargs="*", help=f"core by default; there are {', '.join(BLOCKS)}")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/layer_selection"))
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each; 1 is this one")
    args = parser.parse_args(arguments)
    blocks = args.blocks or ["core"]
    if unknown := set(blocks) - set(BLOCKS):
        parser.error(f"no block is called {', '.join(sorted(unknown))}: there are {', '.join(BLOCKS)}")
    jobs = {block: jobs_of(block, args.output_dir) for block in blocks}
    run_missing([job for block in blocks for job in jobs[block]], args.data_dir, args.output_dir, args.workers)
    for block in blocks:
        rows = [row for job in jobs[block] for row in json.loads(job.file.read_text())["rows"]]
        print(analyse(block, rows, args.output_dir / block))


def check(job: Job) -> None:
    """Refuses a result that was made by another protocol."""
    if job.file.exists() and json.loads(job.file.read_text())["protocol"] != PROTOCOL:
        raise SystemExit(f"{job.file} was made with other settings: choose another --output-dir")


def jobs_of(block: str, folder: Path) -> list[Job]:
    """In the order in which they are run: a seed of every cell, then the next; blocks share what they share."""
    plan = BLOCKS[block]
    return [
        Job(cell, seed, folder / "cells" / f"{cell.name}_{seed}.json", plan.max_epochs)
        for seed in plan.seeds
        for cell in plan.cells
    ]


def run_missing(jobs: list[Job], data_dir: str, folder: Path, workers: int) -> None:
    """Those that are not there yet, several at a time; the first that fails ends the rest."""
    for job in jobs:
        check(job)
    missing = [job for job in dict.fromkeys(jobs) if not job.file.exists()]
    run_all((partial(run_job, job, data_dir, folder) for job in missing), workers)


def run_job(job: Job, data_dir: str, folder: Path) -> str:
    """Trains, and writes the file."""
    rows = run_seed(job.cell, job.seed, data_dir, StageCache(folder / "cache"), job.max_epochs)
    job.file.parent.mkdir(parents=True, exist_ok=True)
    write_json(job.file, {"protocol": PROTOCOL, "rows": rows})
    return job.file.stem


if __name__ == "__main__":
    main()
