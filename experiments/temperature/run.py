"""Fixed temperatures against every rule that moves or spreads them; see README.md beside this file.

python experiments/temperature/run.py --data-dir data --output-dir runs/temperature [cell …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped, and ends with the tables of all cells that are there.
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
from study import CELLS, DEFAULT_CELLS, Cell  # experiments/temperature/study.py
from tables import COLUMNS, MODELS, SCORES, to_markdown  # experiments/temperature/tables.py

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed
from graphkd.spec import DistillSpec
from graphkd.training.stages.stage_cache import StageCache


def main(arguments: list[str] | None = None) -> None:
    parser = study_parser(__doc__, CELLS, DEFAULT_CELLS, "runs/temperature")
    parser.add_argument("--seeds", type=int, default=10, help="of each cell")
    args = parsed(parser, CELLS, arguments)
    jobs = [(CELLS[name], seed) for seed in range(args.seeds) for name in args.names]
    run_all([partial(run_job, *job, args.data_dir, args.output_dir) for job in jobs], args.workers)
    rows = sheets.rows_of(args.output_dir, CELLS, MODELS, SCORES)
    write_text(args.output_dir / "results.csv", sheets.to_csv(COLUMNS, rows))
    print(to_markdown(rows))


def run_job(cell: Cell, seed: int, data_dir: str, folder: Path) -> str:
    """Trains what the file of a cell's seed lacks, and writes it; refuses a file of other settings."""
    file = folder / cell.name / f"{seed}.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    every = cell.specs()
    for name in results.keys() & every.keys():
        if results[name]["settings"] != settings(every[name]):
            raise SystemExit(f"{file}: {name} was made with other settings: choose another --output-dir")
    missing = {name: spec for name, spec in every.items() if name not in results}
    if missing:
        config, cache = composed(cell.overrides), StageCache(folder / "cache")
        found = run_cell(config, seed, data_dir, missing, cache)
        results["teacher"] = found["teacher"]
        results |= {name: {**found[name], "settings": settings(spec)} for name, spec in missing.items()}
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, results)
    return f"{cell.name} {seed}"


def settings(spec: DistillSpec) -> dict[str, Any]:
    """Returns all settings of a student's run, as JSON keeps them."""
    kept: dict[str, Any] = json.loads(json.dumps(spec.config()))
    return kept


if __name__ == "__main__":
    main()
