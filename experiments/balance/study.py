"""What is run: blocks of cells, and one seed of a cell, which is a student of every rule from one split."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch

from graphkd import evaluation
from graphkd.config import composed, spec_from
from graphkd.datasets import SettingView
from graphkd.spec import DistillSpec
from graphkd.training.fit.loop import Log
from graphkd.training.scoring.inference import Inference
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, train_student
from graphkd.training.stages.teacher import train_teacher

RULES: dict[str, list[str]] = {
    "none": [],
    "class_weight": ["training.class_weight=balanced"],
    "effective_number": ["balance=effective_number"],
    "logit_adjustment": ["balance=logit_adjustment"],
    "post_hoc": ["balance=logit_adjustment", "balance.post_hoc=true"],
    "post_hoc_teacher": ["balance=logit_adjustment", "balance.post_hoc=true", "balance.prior=teacher"],
    "bkd": ["balance=bkd"],
    "bkd_teacher": ["balance=bkd", "balance.prior=teacher"],
    "ltkd": ["balance=ltkd"],
}
"""Overrides by rule. Balanced softmax is left out: it is ``logit_adjustment`` of strength 1, bit for bit."""

PROFILES = {
    "1": ["dataset.split=random"],
    "0.1": ["dataset.split=random", "dataset.imbalance=0.1"],
    "0.05": ["dataset.split=random", "dataset.imbalance=0.05"],
    "tail100": ["dataset.split=fractions", "dataset.long_tail=100"],
}
"""Of the training nodes: 20 per class and a ratio of minorities; or 60 % of the largest class, and a long tail."""

METHODS = {"glnn": ["method=glnn", "method.lam=0.3"], "krd": ["method=krd"]}
"""Both with a label loss of share 0.3, KRD's default: at 0 rules of the label loss would change nothing."""

SCORES = {
    "accuracy": evaluation.accuracy,
    "balanced": evaluation.balanced_accuracy,
    "f1": evaluation.macro_f1,
    "worst": evaluation.worst_class_accuracy,
}


@dataclass(frozen=True)
class Cell:
    """A data set, a profile of its training nodes, a teacher and a method."""

    dataset: str
    profile: str
    teacher: str
    method: str

    @property
    def name(self) -> str:
        """Of its results, whatever block asks for them."""
        return f"{self.dataset}_{self.profile}_{self.teacher}_{self.method}"

    def overrides(self, rule: str) -> list[str]:
        """Returns all arguments of ``graphkd distill`` but seeds and places."""
        own = [f"dataset={self.dataset}", *PROFILES[self.profile], f"teacher={self.teacher}"]
        return [*own, *METHODS[self.method], *RULES[rule]]


@dataclass(frozen=True)
class Block:
    """Cells that are reported together."""

    cells: tuple[Cell, ...]
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    max_epochs: int = 500


def _block(*datasets: str, seeds: int = 5) -> Block:
    cells = [
        Cell(dataset, profile, teacher, method)
        for dataset in datasets
        for profile in PROFILES
        for teacher in ("sage", "gcn")
        for method in METHODS
    ]
    return Block(tuple(cells), tuple(range(seeds)))


DATASETS = ("cora", "citeseer", "pubmed", "photo", "computers", "cs")

BLOCKS = {
    **{name: _block(name) for name in DATASETS},
    "citation": _block("cora", "citeseer", seeds=3),
    "core": _block(*DATASETS),
    "smoke": Block(
        tuple(Cell("digits", profile, "gcn", "glnn") for profile in ("1", "0.1", "0.05")), (0, 1), max_epochs=3
    ),
}


def spec_of(cell: Cell, rule: str, max_epochs: int) -> DistillSpec:
    """Returns the parts of a rule's run."""
    return spec_from(composed([*cell.overrides(rule), f"training.max_epochs={max_epochs}"]))


def run_seed(cell: Cell, seed: int, view: SettingView, cache: StageCache, max_epochs: int) -> list[dict[str, Any]]:
    """Returns one row per rule, and one of the teacher that ``none`` has: scores in fractions, epochs, seconds."""
    rows = []
    for rule in RULES:
        spec, log = spec_of(cell, rule, max_epochs), Log()
        teacher_result = train_teacher(view, spec, seed, log, cache)
        if rule == "none":
            logits = teacher_result.output.logits[view.observed.test]
            rows.append({**asdict(cell), "seed": seed, "rule": "teacher", **_scores(view, logits)})
        student = train_student(view, spec, teacher_result, seed, log, cache)
        fit = {"epochs": student.fit.epochs, "seconds": round(student.fit.seconds, 2)}
        rows.append({**asdict(cell), "seed": seed, "rule": rule, **_scores(view, answers(view, student)), **fit})
    return rows


def answers(view: SettingView, student: StudentResult) -> torch.Tensor:
    """Returns the student's logits on test nodes, ``[n, C]``."""
    graph = view.observed
    return Inference(student.model, student.encoding.mix(graph.x, graph.adj), graph.test)()


def _scores(view: SettingView, logits: torch.Tensor) -> dict[str, float]:
    y = view.observed.y[view.observed.test]
    return {name: score(logits, y) for name, score in SCORES.items()}
