"""What carries InfGraND's gain? Ablations by config alone; see README.md beside this file.

python experiments/ablations/run.py --data-dir data --output-dir runs/ablations [data set …]

Every variant and seed is a file in the output folder, every trained network one in its cache: the command goes on
where it stopped. After each seed it writes the tables anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent.parent))
from cells import view_of  # experiments/cells.py
from tables import write_tables
from variants import BASES, FAMILIES, overrides, variants

from graphkd.atomic_io import write_json
from graphkd.config import composed, spec_from
from graphkd.datasets import Graph
from graphkd.training.fit.loop import Log
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher

DATASETS = ("cora", "citeseer", "photo", "pubmed")
SEEDS = (2022, 2023, 2024, 2025, 2026)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help="by default all four")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--seeds", type=int, default=5, help="so many of the published five")
    parser.add_argument("--only", nargs="*", default=list(variants()), help="variants; by default all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(arguments)
    for given, known in ((args.datasets, BASES), (args.only, variants())):
        if unknown := set(given) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    torch.set_num_threads(args.threads)
    rows: list[dict[str, Any]] = []
    cache = StageCache(args.output_dir / "cache")
    for dataset in args.datasets:
        for seed in SEEDS[: args.seeds]:
            rows += [run_one(dataset, variant, seed, args, cache) for variant in args.only]
            text = write_tables(rows, args.output_dir)
    print(text)


def run_one(dataset: str, variant: str, seed: int, args: argparse.Namespace, cache: StageCache) -> dict[str, Any]:
    """The row of a variant and seed, from its file where it is there; refuses one of other settings."""
    file, keys = args.output_dir / dataset / variant / f"{seed}.json", overrides(dataset, variant)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        full = variant in FAMILIES["full"].variants
        write_json(file, scores(keys, full, seed, args.data_dir, cache, args.device))
        print(f"{dataset} {seed} {variant}: {file.read_text()}", flush=True)
    found = json.loads(file.read_text())
    if found.pop("overrides")[: len(keys)] != keys:
        raise SystemExit(f"{file} was made with other settings: choose another --output-dir")
    return {"dataset": dataset, "variant": variant, "seed": seed, **found}


def scores(
    keys: list[str], full: bool, seed: int, data_dir: str, cache: StageCache, device: str = "cpu"
) -> dict[str, Any]:
    """What ``graphkd distill OVERRIDES seeds=[SEED]`` trains: test and validation scores, epochs, seconds.

    Args:
        keys: the variant's overrides.
        full: whether the influence is the whole weight; then those of ``mean_one`` are added.
        seed: of the run.
        data_dir: folder of the raw data.
        cache: of finished stages.
        device: ``cpu`` or ``cuda``.
    """
    config, log = composed(keys), Log()
    spec, view = spec_from(config), view_of(config, seed, data_dir, device)
    teacher_result = train_teacher(view, spec, seed, log, cache)
    if full:
        keys = [*keys, *mean_one(view.observed, node_weights(view, spec, teacher_result, seed, cache))]
        spec = spec_from(composed(keys))
    student = train_student(view, spec, teacher_result, seed, log, cache)
    return {
        "overrides": keys,
        "test": student.scores["test"],
        "val": student.scores["val"],
        "teacher": teacher_result.scores["test"],
        "epochs": student.fit.epochs,
        "best_epoch": student.fit.best_epoch,
        "seconds": round(student.fit.seconds, 1),
        "teacher_seconds": round(teacher_result.fit.seconds, 1),
    }


def mean_one(graph: Graph, influence: Tensor) -> list[str]:
    """The δ2 and γ2 with which ``influence [N]`` weights labelled nodes, and edges with loops, by 1 on average."""
    pattern = graph.adj.structure(self_loops=1).to(torch.float64)
    edges = float(pattern.sum(dim=0) @ influence.double()) / pattern.nnz
    nodes = float(influence[graph.train].double().mean())
    return [f"method.delta2={1 / nodes:.6g}", f"method.gamma2={1 / edges:.6g}"]


if __name__ == "__main__":
    main()
