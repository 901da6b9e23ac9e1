"""Teacher, plain MLP, GLNN and InfGraND on every data set, transductive; see README.md beside this file.

python experiments/transductive/run.py --data-dir data --output-dir runs/transductive [dataset_teacher …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir

import graphkd
from graphkd.config import config_dir, names_in, recipe_from, register_schemas
from graphkd.datasets import Graph, Scene
from graphkd.methods import GLNN
from graphkd.storage import write_json, write_text
from graphkd.training.artefacts import Artefacts
from graphkd.training.loop import Log
from graphkd.training.student import train_baseline, train_student
from graphkd.training.teach import teach

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
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    register_schemas()
    rows = []
    for cell in args.cells:
        for seed in SEEDS[: args.seeds]:
            file = args.output_dir / cell / f"{seed}.json"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                write_json(file, run_seed(cell, seed, args.data_dir, Artefacts(args.output_dir / "cache")))
            rows.append({"cell": cell, "seed": seed, **json.loads(file.read_text())})
            print(rows[-1], flush=True)
    write_text(args.output_dir / "results.csv", to_csv(rows))
    print(to_markdown(rows))


def config_of(cell: str) -> Any:
    """The published cell where there is one, else the data set's and the parts' defaults."""
    dataset, _, teacher = cell.rpartition("_")
    published = f"infgrand/{cell}_transductive"
    overrides = [f"dataset={dataset}", f"teacher={teacher}", "method=infgrand"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose(
            "distill", [f"experiment={published}"] if published in names_in("experiment") else overrides
        )


def run_seed(cell: str, seed: int, data_dir: str, cache: Artefacts) -> dict[str, float]:
    """One teacher, and every student distilled from it: scores on test and validation, and seconds in all."""
    config = config_of(cell)
    infgrand = recipe_from(config)
    keys = {key: config.dataset[key] for key in ("features", "row_normalize", "directed")}
    data = graphkd.load_dataset(config.dataset.name, data_dir, seed=seed, split=config.dataset.split, **keys)
    scene, log = Scene.of(Graph.from_data(data)), Log()
    taught = teach(scene, infgrand, seed, log, cache)
    students = {
        "mlp": train_baseline(scene, infgrand, taught, seed, log, cache),
        "glnn": train_student(scene, infgrand.with_method(GLNN()), taught, seed, log, cache),
        "infgrand": train_student(scene, infgrand, taught, seed, log, cache),
    }
    results = {"teacher": taught, **students}
    tests = {name: result.scores["test"] for name, result in results.items()}
    vals = {f"{name}_val": result.scores["val"] for name, result in results.items()}
    return {**tests, **vals, "seconds": round(sum(result.fit.seconds for result in results.values()), 1)}


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
