"""What is run: blocks of cells, and one seed of a cell, which is a teacher and a student of every strategy."""

from __future__ import annotations

import functools
import zlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import graphkd
from graphkd import matching, students, teachers
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.matching import LayerAngles
from graphkd.registry import lookup
from graphkd.sparse import Inputs
from graphkd.spec import resolve
from graphkd.training.fit.early_stopping import WARMUP_LOSS_RATIO
from graphkd.training.fit.loop import Log
from graphkd.training.seeds import seeded
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, start_task, train_baselines, train_student
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import train_teacher

STRATEGIES = ("none", "forward", "reverse", "all_to_one", "random", "attention")
TEACHER = {"hidden_dim": 128, "norm": "layer", "residual": True, "dropout": 0.2}
"""A stack of 12 hops trains with these; chosen on validation scores, see README.md."""
WEIGHT = 3.0
"""Of the matching term, as in the paper."""
DECAY = 0.0
"""Weight decay of students: where it sets in, matched ones fall back, and some stop there; see README.md."""
PROTOCOL = {"teacher": TEACHER, "weight": WEIGHT, "student_weight_decay": DECAY}
"""What every result depends on besides its cell; a result of another protocol is refused."""


@dataclass(frozen=True)
class Cell:
    """A data set, a teacher, the method, and both depths, the logits' layer included."""

    dataset: str
    teacher: str
    method: str = "glnn"
    teacher_layers: int = 6
    student_layers: int = 4

    @property
    def name(self) -> str:
        """Of its results, whatever block asks for them."""
        depths = f"teacher{self.teacher_layers}_student{self.student_layers}"
        return f"{self.dataset}_{self.teacher}_{self.method}_{depths}"


@dataclass(frozen=True)
class Block:
    """Cells that are reported together, and only when all are there."""

    cells: tuple[Cell, ...]
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    max_epochs: int = 500


def _block(teacher_names: tuple[str, ...] = ("gcn", "sage"), **keys: Any) -> Block:
    datasets = ("cpf_cora", "cpf_citeseer", "cora", "citeseer", "photo", "pubmed")
    return Block(tuple(Cell(dataset, teacher, **keys) for dataset in datasets for teacher in teacher_names))


BLOCKS = {
    "core": _block(),
    "teacher_3": _block(teacher_layers=3),
    "teacher_12": _block(teacher_layers=12),
    "student_3": _block(student_layers=3),
    "gat": _block(("gat",)),
    "infgrand": _block(method="infgrand"),
    "cs": Block((Cell("cs", "gcn"), Cell("cs", "sage"))),
    "seeds_10": Block(_block().cells, seeds=tuple(range(10))),
    "smoke": Block((Cell("digits", "gcn"), Cell("digits", "sage")), seeds=(0, 1), max_epochs=3),
}


def run_seed(
    cell: Cell,
    seed: int,
    data_dir: str,
    cache: StageCache,
    max_epochs: int = 500,
) -> list[dict[str, Any]]:
    """One row per strategy, and one of the plain MLP: scores in fractions, epochs, seconds, angles in degrees."""
    graph = Graph.from_data(graphkd.load_dataset(cell.dataset, data_dir, seed=seed))
    view, rows = apply_setting(graph, "transductive", seed), []
    network = lookup(teachers, cell.teacher)
    published = {"aggregator": "gcn"} if cell.teacher == "sage" else {}
    spec = resolve(
        teacher=functools.partial(network, num_layers=cell.teacher_layers, **TEACHER, **published),
        student=functools.partial(students.MLP, num_layers=cell.student_layers),
        method=cell.method,
        training=graphkd.Training(max_epochs=max_epochs, weight_decay=DECAY),
    )
    teacher_result = train_teacher(view, spec, seed, Log(), cache)
    shared = {**asdict(cell), "seed": seed, "teacher_test": teacher_result.scores["test"]}
    for name in STRATEGIES:
        strategy = lookup(matching, name)(weight=WEIGHT, seed=_draw(cell, seed))
        matched = replace(spec, matching=strategy)
        log = Log()
        student = train_student(view, matched, teacher_result, seed, log, cache)
        targets = compile_targets(view, matched, teacher_result, seed, cache)
        with seeded(seed, "student", graph.y.device):
            start = start_task(graph, matched, targets, seed, teacher_result.output).student
        angles = {}
        for when, model in (("before", start), ("after", student.model)):
            found = _angles(model, targets.inputs, teacher_result.output.hops[:-1])
            angles |= {f"{key}_{when}": value for key, value in found.items()}
        rows.append({**shared, "strategy": name, **_facts(student, log), **angles})
    log = Log()
    plain = train_baselines(view, spec, teacher_result, seed, log, cache)["mlp"]
    records = [record for record in log if record["stage"] == "mlp"]
    return [*rows, {**shared, "strategy": "mlp", **_facts(plain, records)}]


def _draw(cell: Cell, seed: int) -> int:
    """Other permutations in other cells: three layers have six, and of one seed all cells would have the same."""
    return zlib.crc32(f"{cell.name}-{seed}".encode()) % 2**31


def _facts(student: StudentResult, log: Log) -> dict[str, Any]:
    losses = [record.get("method", record["loss"]) for record in log]
    halved = [epoch for epoch, loss in enumerate(losses) if loss <= WARMUP_LOSS_RATIO * losses[0]]
    return {
        "val": student.scores["val"],
        "test": student.scores["test"],
        "epochs": student.fit.epochs,
        "best_epoch": student.fit.best_epoch,
        "loss_halved_in": halved[0] if halved else -1,
        "seconds": round(student.fit.seconds, 1),
    }


def _angles(student: nn.Module, inputs: Inputs, hops: list[Tensor]) -> dict[str, float]:
    """Mean angle and share of acute ones over nodes, student layers and pairs of teacher layers.

    ``angle`` and ``acute`` are the paper's; ``unit_angle`` and ``unit_acute`` are between rows of length 1, which
    is how the normalised distance sees layers: it leaves the student's lengths open.
    """
    with torch.no_grad():
        hidden = student.eval()(inputs).hidden
    unit = [[F.normalize(layer, dim=1) for layer in layers] for layers in (hidden, hops)]
    return {
        f"{prefix}{name}": float(values.mean())
        for prefix, angles in (("", LayerAngles.of(hidden, hops)), ("unit_", LayerAngles.of(*unit)))
        for name, values in (("angle", angles.degrees), ("acute", angles.acute))
    }
