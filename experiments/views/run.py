"""Is a teacher beside views of itself worth more than itself, or than other teachers? See README.md.

python experiments/views/run.py --data-dir data --output-dir runs/views [data set …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped. It ends with results.csv, and with the tables of all that is there.
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
from cells import run_cell  # experiments/cells.py
from processes import run_all  # experiments/processes.py
from study import DATASETS, DEFAULT, TEACHERS, Cell  # experiments/views/study.py
from tables import COLUMNS, to_markdown  # experiments/views/tables.py

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed
from graphkd.training.stages.stage_cache import StageCache


def main(arguments: list[str] | None = None) -> None:
    parser = study_parser(__doc__, DATASETS, DEFAULT, "runs/views")
    parser.add_argument("--seeds", type=int, default=5)
    args = parsed(parser, DATASETS, arguments)
    cells = [
        (Cell(name, teacher), seed) for seed in range(args.seeds) for name in args.names for teacher in TEACHERS
    ]
    run_all([partial(run_job, cell, seed, args.data_dir, args.output_dir) for cell, seed in cells], args.workers)
    rows = rows_of(args.output_dir)
    write_text(args.output_dir / "results.csv", sheets.to_csv(COLUMNS, rows))
    print(to_markdown(rows))


def run_job(cell: Cell, seed: int, data_dir: str, folder: Path) -> str:
    """Trains a seed of a cell, unless its file is there; refuses a file of other settings."""
    file = folder / "cells" / f"{cell.dataset}_{cell.teacher}_{seed}.json"
    specs = cell.specs()
    protocol = json.loads(json.dumps({name: spec.config() for name, spec in specs.items()}))
    if not file.exists():
        found = run_cell(composed(cell.overrides), seed, data_dir, specs, StageCache(folder / "cache"))
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, {"protocol": protocol, "results": found})
    kept = json.loads(file.read_text())
    if kept["protocol"] != protocol:
        raise SystemExit(f"{file} was made with other settings: choose another --output-dir")
    return f"{file.stem}: teacher {kept['results']['teacher']['test']:.4f}"


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Returns one row per student of a seed of a cell, of the files that are there."""
    rows = []
    for dataset in DATASETS:
        for teacher in TEACHERS:
            files = (folder / "cells").glob(f"{dataset}_{teacher}_*.json")
            for file in sorted(files, key=lambda file: int(file.stem.rpartition("_")[2])):
                results = json.loads(file.read_text())["results"]
                own = {"dataset": dataset, "teacher": teacher, "seed": int(file.stem.rpartition("_")[2])}
                alone = results.pop("teacher")["test"]
                for name, facts in results.items():
                    method, variant = name.split()
                    row = {**own, "method": method, "variant": variant, "teacher_test": alone, **facts}
                    rows.append({key: row[key] for key in COLUMNS})
    return rows


if __name__ == "__main__":
    main()
