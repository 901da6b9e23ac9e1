"""One drawn graph: seconds and peak memory of every stage, as JSON on the standard output; called by run.py."""

from __future__ import annotations

import functools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from memory import extra_megabytes  # experiments/memory.py

from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.datasets.synthetic import Plan, generate
from graphkd.methods.fold import edge_targets
from graphkd.outofcore import TableOptions
from graphkd.sparse import propagate
from graphkd.spec import resolve
from graphkd.students import MLP
from graphkd.teachers import SAGE
from graphkd.training.settings import Training
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher

ROUNDS = 2
"""Of which the fastest counts, stage by stage: what else a machine does only adds."""
BUDGET = 0.5
"""Gigabytes for compiling."""
TRAINING = Training(
    max_epochs=1, teacher_batches="neighbours", teacher_batch_size=1024, fanout=10, batch_size=4096
)


def main() -> None:
    size, threads, compiling = json.loads(sys.argv[1]), int(sys.argv[2]), "compile" in sys.argv[3:]
    torch.set_num_threads(threads)
    data = generate(plan(**size))
    rounds = [measured(data, compiling) for _ in range(ROUNDS * (2 if compiling else 1))]
    least = [min(stage, key=lambda each: float(str(each["seconds"]))) for stage in zip(*rounds, strict=True)]
    print(json.dumps(least))


def measured(data: Any, compiling: bool) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        return stages(data, Path(folder), compiling)


def plan(nodes: int, degree: int, features: int, classes: int) -> Plan:
    """An undirected graph of this size; a tenth of its nodes trains, a hundredth validates."""
    return Plan(
        num_nodes=nodes,
        num_edges=nodes * degree // 2,
        num_features=features,
        num_classes=classes,
        directed=False,
        shares=(0.1, 0.01, 0.89),
        homophily=0.7,
        signal=2.9,
        label_noise=0.2,
    )


def stages(data: Any, folder: Path, compiling: bool) -> list[dict[str, object]]:
    """The stages in their order; a later one works on what an earlier one made, or on drawn logits instead."""
    made: dict[str, Any] = {}
    found: list[dict[str, object]] = []

    def stage(name: str, run: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        peak = extra_megabytes(lambda: made.update({name: run()}))
        found.append({"stage": name, "seconds": time.perf_counter() - start, "megabytes": round(peak)})
        return made[name]

    def compiled(logits: Tensor) -> None:
        with cache.table_store("inputs", {}):
            stage("compile, two hops of features", lambda: propagate(graph.x, graph.adj, 2))
        with cache.table_store("soft", {}):
            stage("compile, targets over edges", lambda: edge_targets(logits, operator, 1.0))

    graph = stage("graph", lambda: Graph.from_data(data))
    operator = stage("normalise", lambda: graph.adj.normalize("symmetric", 1))
    cache = StageCache(folder, TableOptions(BUDGET))
    if compiling:
        compiled(torch.randn(graph.num_nodes, graph.num_classes, generator=torch.Generator().manual_seed(0)))
        return found[2:]
    view = apply_setting(graph)
    teacher, student = (
        functools.partial(SAGE, hidden_dim=128, aggregator="gcn"),
        functools.partial(MLP, hidden_dim=256),
    )
    spec = resolve(teacher, student, method="glnn", training=TRAINING)
    teacher_result = stage("teacher epoch and answers", lambda: train_teacher(view, spec, 0, [], cache))
    answers = float(str(found[-1]["seconds"])) - teacher_result.fit.seconds
    found[-1:] = [
        {**found[-1], "stage": "teacher, one sampled epoch", "seconds": teacher_result.fit.seconds},
        {**found[-1], "stage": "teacher, all answers", "seconds": answers},
    ]
    compiled(teacher_result.output.logits)
    trained = stage("student", lambda: train_student(view, spec, teacher_result, 0, [], cache))
    found[-1] |= {"stage": "student, one epoch", "seconds": trained.fit.seconds}
    return found


if __name__ == "__main__":
    main()
