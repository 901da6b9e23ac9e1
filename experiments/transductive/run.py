"""Teacher, plain MLPs, GLNN and InfGraND on every data set, transductive; see README.md beside this file.

python experiments/transductive/run.py --data-dir data --output-dir runs/transductive [dataset_teacher …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped, and trains only the students that a file lacks. It ends with the table of all that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
import sheets  # experiments/sheets.py
from cells import run_cell  # experiments/cells.py
from processes import run_all  # experiments/processes.py

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed, names_in, spec_from
from graphkd.methods import GLNN
from graphkd.spec import DistillSpec
from graphkd.training.stages.stage_cache import StageCache

DATASETS = ("cpf_cora", "cpf_citeseer", "cora", "citeseer", "minesweeper", "tolokers", "cs", "computers", "photo")
DATASETS += ("physics", "pubmed")
CELLS = [f"{dataset}_{teacher}" for dataset in DATASETS for teacher in ("gcn", "sage", "gat")]
SEEDS = (2022, 2023, 2024, 2025, 2026)
COLUMNS = {
    "mlp": "plain MLP",
    "mlp_same_inputs": "plain MLP, propagated rows",
    "teacher": "teacher (GNN)",
    "glnn": "GLNN",
    "infgrand": "InfGraND",
}
"""In the order of the table; what each reads when it answers stands in ``READS``."""
READS = {
    "mlp": "x",
    "mlp_same_inputs": "neighbours",
    "teacher": "neighbours",
    "glnn": "x",
    "infgrand": "neighbours",
}
STUDENTS = tuple(name for name in COLUMNS if name != "teacher")
FACTS = ("test", "val", "epochs", "seconds")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", default=CELLS, help="such as cora_gcn; by default all")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/transductive"))
    parser.add_argument("--seeds", type=int, default=3, help="so many of the published five")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=STUDENTS)
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each; 1 is this one")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(arguments)
    jobs = [(cell, seed) for cell in args.cells for seed in SEEDS[: args.seeds]]
    run_all([partial(run_job, *job, args) for job in jobs], args.workers)
    rows = rows_of(args.output_dir)
    write_text(args.output_dir / "results.csv", to_csv(rows))
    print(to_markdown(rows))


def run_job(cell: str, seed: int, args: argparse.Namespace) -> str:
    """Trains what the file of a cell's seed lacks, and writes it."""
    file = args.output_dir / cell / f"{seed}.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    config, every = composed(overrides_of(cell)), students_of(cell)
    missing = {name: every[name] for name in args.students if name not in results}
    if missing:
        cache = StageCache(args.output_dir / "cache")
        results |= run_cell(config, seed, args.data_dir, missing, cache, args.device)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, results)
    return f"{cell} {seed}: " + ", ".join(f"{name} {facts['test']:.4f}" for name, facts in results.items())


def overrides_of(cell: str) -> list[str]:
    """The published cell where there is one, else the data set's and the parts' defaults."""
    dataset, _, teacher = cell.rpartition("_")
    published = f"infgrand/{cell}_transductive"
    if published in names_in("experiment"):
        return [f"experiment={published}"]
    return [f"dataset={dataset}", f"teacher={teacher}", "method=infgrand"]


def students_of(cell: str) -> dict[str, DistillSpec]:
    """The students of a cell: one shape, one training, one teacher."""
    infgrand = spec_from(composed(overrides_of(cell)))
    return {**infgrand.baselines, "glnn": infgrand.with_method(GLNN()), "infgrand": infgrand}


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """One row per seed of a cell, of the files that are there."""
    rows = []
    for cell in CELLS:
        for file in sorted((folder / cell).glob("*.json")):
            found = json.loads(file.read_text())
            scores = {model: found[model]["test"] for model in COLUMNS if model in found}
            vals = {f"{model}_val": found[model]["val"] for model in COLUMNS if model in found}
            seconds = round(sum(facts["seconds"] for facts in found.values()), 1)
            rows.append({"cell": cell, "seed": int(file.stem), **scores, **vals, "seconds": seconds})
    return rows


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Every seed, one a line; a model that was not trained has an empty cell."""
    columns = ["cell", "seed", *COLUMNS, *(f"{model}_val" for model in COLUMNS), "seconds"]
    return sheets.to_csv(columns, rows)


def to_markdown(rows: list[dict[str, Any]]) -> str:
    """Mean and population standard deviation per cell, in percent; the best mean is bold."""
    heads = [f"{name}<br>reads {READS[model]}" for model, name in COLUMNS.items()]
    lines = ["| data / teacher | seeds | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for cell in dict.fromkeys(row["cell"] for row in rows):
        mine = [row for row in rows if row["cell"] == cell]
        scores = [[100 * float(row[model]) for row in mine if row.get(model)] for model in COLUMNS]
        best = max(round(float(np.mean(values)), 2) for values in scores if values)
        dataset, teacher = cell.rsplit("_", 1)
        cells = " | ".join(_cell(values, best) for values in scores)
        lines.append(f"| {_NAMES.get(dataset, dataset)} / {teacher.upper()} | {len(mine)} | {cells} |")
    return "\n".join(lines)


def _cell(values: list[float], best: float) -> str:
    if not values:
        return "–"
    text = f"{np.mean(values):.2f} ± {np.std(values):.2f}"
    return f"**{text}**" if round(float(np.mean(values)), 2) == best else text


_NAMES = {
    "cpf_cora": "CPF Cora", "cpf_citeseer": "CPF CiteSeer", "cora": "Cora", "citeseer": "CiteSeer",
    "minesweeper": "Minesweeper", "tolokers": "Tolokers", "cs": "CS", "computers": "Computers", "photo": "Photo",
    "physics": "Physics", "pubmed": "PubMed",
}  # fmt: skip


if __name__ == "__main__":
    main()
