"""Every method beside GLNN, from one teacher per seed and with one student shape; see README.md beside this file.

python experiments/methods/run.py --data-dir data --output-dir runs/methods [cell …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped, and trains only the students that a file lacks. It ends with the tables of all that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import sheets  # experiments/sheets.py
from arguments import parsed, study_parser  # experiments/arguments.py
from cells import run_cell, view_of  # experiments/cells.py
from diagram import critical_difference  # experiments/methods/diagram.py
from processes import run_all  # experiments/processes.py
from protocol import (  # experiments/methods/protocol.py
    CELLS,
    DEFAULT_CELLS,
    MODELS,
    NODES,
    SETTINGS,
    STUDENTS,
    Cell,
)
from tables import COLUMNS, SCORES, ranks, to_markdown  # experiments/methods/tables.py

from graphkd.atomic_io import write_bytes, write_json, write_text
from graphkd.config import composed
from graphkd.spec import DistillSpec
from graphkd.training.stages.stage_cache import StageCache


def main(arguments: list[str] | None = None) -> None:
    parser = study_parser(__doc__, CELLS, DEFAULT_CELLS, "runs/methods")
    parser.add_argument("--seeds", type=int, default=10, help="of each cell, at most")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=STUDENTS)
    args = parsed(parser, CELLS, arguments)
    run_all([partial(run_job, *job, args) for job in jobs(args.names, args.seeds)], args.workers)
    rows = sheets.rows_of(args.output_dir, CELLS, MODELS, SCORES)
    write_text(args.output_dir / "results.csv", sheets.to_csv(COLUMNS, rows))
    for setting in SETTINGS:
        draw(rows, setting, args.output_dir / f"ranks_{setting}.png")
    print(to_markdown(rows))


def jobs(names: list[str], seeds: int) -> list[tuple[str, int]]:
    """Returns cells and seeds, the first seed of all cells first, so that a stopped command has some of each."""
    return [
        (name, CELLS[name]().seeds[turn])
        for turn in range(seeds)
        for name in names
        if turn < len(CELLS[name]().seeds)
    ]


def run_job(name: str, seed: int, args: argparse.Namespace) -> str:
    """Trains what the file of a cell's seed lacks, and writes it; refuses a file of other settings."""
    file, cell = args.output_dir / name / f"{seed}.json", CELLS[name]()
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    every = cell.specs()
    for student, spec in every.items():
        if student in results and results[student]["settings"] != settings(spec):
            raise SystemExit(f"{file}: {student} was made with other settings: choose another --output-dir")
    missing = [student for student in args.students if student in every and student not in results]
    if missing:
        check_nodes(cell, args.data_dir)
        wanted = {student: every[student] for student in dict.fromkeys(("glnn", *missing))}
        config = composed(cell.configs["glnn"])
        found = run_cell(config, seed, args.data_dir, wanted, StageCache(args.output_dir / "cache"))
        results["teacher"] = results.get("teacher", found["teacher"])
        for student in missing:
            results[student] = {**found[student], "settings": settings(every[student])}
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, results)
    return f"{name} {seed}: " + ", ".join(f"{student} {facts['test']:.4f}" for student, facts in results.items())


def check_nodes(cell: Cell, data_dir: str) -> None:
    """Checks that the data have as many nodes as CPF's protocol."""
    if cell.dataset:
        nodes = view_of(composed(cell.configs["glnn"]), 0, data_dir).full.num_nodes
        if nodes != NODES[cell.dataset]:
            raise SystemExit(f"{cell.name} has {nodes} nodes, in the protocol {NODES[cell.dataset]}: other data")


def settings(spec: DistillSpec) -> dict[str, Any]:
    """Returns all settings of a student's run, as JSON keeps them."""
    kept: dict[str, Any] = json.loads(json.dumps(spec.config()))
    return kept


def draw(rows: list[dict[str, Any]], setting: str, file: Path) -> None:
    """Writes the critical-difference diagram of a setting, if two data sets or more are there."""
    names = [name for name in CELLS if (cell := CELLS[name]()).dataset and cell.setting == setting]
    used = [name for name in names if any(row["cell"] == name for row in rows)]
    result, models = ranks(rows, used)
    if result is not None:
        title = f"{setting.replace('_', ' ')}: mean ranks over {len(used)} data sets"
        write_bytes(file, critical_difference(result, [MODELS[model] for model in models], title))


if __name__ == "__main__":
    main()
