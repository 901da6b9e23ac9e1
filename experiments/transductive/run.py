"""Teacher, plain MLP, GLNN and InfGraND on every data set, transductive; see README.md beside this file.

python experiments/transductive/run.py --data-dir data --output-dir runs/transductive [dataset_teacher …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from cells import run_cell  # experiments/cells.py

from graphkd.config import composed, names_in, recipe_from
from graphkd.methods import GLNN, MLP
from graphkd.storage import write_json, write_text
from graphkd.training.artefacts import Artefacts

DATASETS = ("cpf_cora", "cpf_citeseer", "cora", "citeseer", "minesweeper", "tolokers", "cs", "computers", "photo")
DATASETS += ("physics", "pubmed")
CELLS = [f"{dataset}_{teacher}" for dataset in DATASETS for teacher in ("gcn", "sage", "gat")]
SEEDS = (2022, 2023, 2024, 2025, 2026)
COLUMNS = ("mlp", "teacher", "glnn", "infgrand")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", default=CELLS, help="such as cora_gcn; by default all")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/transductive"))
    parser.add_argument("--seeds", type=int, default=3, help="so many of the published five")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = []
    for cell in args.cells:
        for seed in SEEDS[: args.seeds]:
            file = args.output_dir / cell / f"{seed}.json"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                cache = Artefacts(args.output_dir / "cache")
                write_json(file, run_seed(cell, seed, args.data_dir, cache, args.device))
            rows.append({"cell": cell, "seed": seed, **json.loads(file.read_text())})
            print(rows[-1], flush=True)
    write_text(args.output_dir / "results.csv", to_csv(rows))
    print(to_markdown(rows))


def overrides_of(cell: str) -> list[str]:
    """The published cell where there is one, else the data set's and the parts' defaults."""
    dataset, _, teacher = cell.rpartition("_")
    published = f"infgrand/{cell}_transductive"
    if published in names_in("experiment"):
        return [f"experiment={published}"]
    return [f"dataset={dataset}", f"teacher={teacher}", "method=infgrand"]


def run_seed(cell: str, seed: int, data_dir: str, cache: Artefacts, device: str = "cpu") -> dict[str, float]:
    """One teacher, and every student distilled from it: scores on test and validation, and seconds in all."""
    config = composed(overrides_of(cell))
    infgrand = recipe_from(config)
    students = {"mlp": infgrand.with_method(MLP()), "glnn": infgrand.with_method(GLNN()), "infgrand": infgrand}
    results = run_cell(config, seed, data_dir, students, cache, device)
    tests = {name: facts["test"] for name, facts in results.items()}
    vals = {f"{name}_val": facts["val"] for name, facts in results.items()}
    return {**tests, **vals, "seconds": round(sum(facts["seconds"] for facts in results.values()), 1)}


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Every seed, one a line."""
    lines = [",".join(rows[0])]
    lines += [
        ",".join(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row.values())
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def to_markdown(rows: list[dict[str, Any]]) -> str:
    """Mean and population standard deviation per cell, in percent."""
    lines = ["| data / teacher | seeds | plain MLP | teacher | GLNN | InfGraND |", "|---|---|---|---|---|---|"]
    for cell in dict.fromkeys(row["cell"] for row in rows):
        mine = [row for row in rows if row["cell"] == cell]
        scores = [100 * np.array([row[column] for row in mine]) for column in COLUMNS]
        cells = " | ".join(f"{values.mean():.2f} ± {values.std():.2f}" for values in scores)
        lines.append(f"| {' / '.join(cell.rsplit('_', 1))} | {len(mine)} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
