"""Teacher, plain MLP, GLNN and InfGraND side by side in published cells; see README.md beside this file.

python experiments/planetoid/run.py --data-dir data --output-dir runs/planetoid [cell …]

Every seed of every cell is a file in the output folder: the command goes on where it stopped.
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
from graphkd.config import config_dir, recipe_from, register_schemas
from graphkd.datasets import Graph
from graphkd.methods import GLNN
from graphkd.recipe import Recipe
from graphkd.storage import write_json, write_text
from graphkd.training.loop import Log
from graphkd.training.student import train_baseline, train_student
from graphkd.training.teach import teach

CELLS = ("cora_sage", "cora_gcn", "pubmed_gcn", "pubmed_sage")
COLUMNS = ("mlp", "teacher", "glnn", "infgrand")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", default=CELLS, help=f"of {', '.join(CELLS)}")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/planetoid"))
    parser.add_argument("--seeds", type=int, help="only the first so many of the published five")
    args = parser.parse_args()
    register_schemas()
    rows = []
    for cell in args.cells:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            config = compose("distill", [f"experiment=infgrand/{cell}_transductive"])
        for seed in list(config.seeds)[: args.seeds]:
            file = args.output_dir / cell / f"{seed}.json"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                write_json(file, run_seed(config, seed, args.data_dir))
            rows.append({"cell": cell, "seed": seed, **json.loads(file.read_text())})
            print(rows[-1], flush=True)
    write_text(args.output_dir / "results.csv", to_csv(rows))
    print(to_markdown(rows))


def run_seed(config: Any, seed: int, data_dir: str) -> dict[str, float]:
    """One teacher, and every student distilled from it: test accuracies, and seconds in all."""
    infgrand = recipe_from(config)
    data = graphkd.load_dataset(config.dataset.name, data_dir, seed=seed)
    graph, log = Graph.from_data(data), Log()
    taught = teach(graph, infgrand, seed, log)
    glnn: Recipe = infgrand.with_method(GLNN())
    students = {
        "mlp": train_baseline(graph, infgrand, taught.output, seed, log),
        "glnn": train_student(graph, glnn, taught.output, seed, log),
        "infgrand": train_student(graph, infgrand, taught.output, seed, log),
    }
    seconds = taught.fit.seconds + sum(student.fit.seconds for student in students.values())
    tests = {name: student.scores["test"] for name, student in students.items()}
    return {"teacher": taught.scores["test"], **tests, "seconds": round(seconds, 1)}


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Every seed, one a line."""
    lines = [",".join(rows[0])]
    lines += [",".join(str(value) for value in row.values()) for row in rows]
    return "\n".join(lines) + "\n"


def to_markdown(rows: list[dict[str, Any]]) -> str:
    """Mean and population standard deviation per cell, in percent."""
    lines = ["| cell | seeds | plain MLP | teacher | GLNN | InfGraND |", "|---|---|---|---|---|---|"]
    for cell in dict.fromkeys(row["cell"] for row in rows):
        mine = [row for row in rows if row["cell"] == cell]
        scores = [100 * np.array([row[column] for row in mine]) for column in COLUMNS]
        cells = " | ".join(f"{values.mean():.2f} ± {values.std():.2f}" for values in scores)
        lines.append(f"| {cell.replace('_', ' / ')} | {len(mine)} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
