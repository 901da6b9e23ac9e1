"""Teach, compile, train: the stages between data and bundle."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graphkd import evaluation
from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.evaluation import macro_f1
from graphkd.methods import MLP, Propagation, Targets
from graphkd.recipe import Recipe, settings_of
from graphkd.sparse import select_rows
from graphkd.teachers import TeacherOutput
from graphkd.training.loop import Fit, Log, fit
from graphkd.training.seeds import seeded
from graphkd.training.task import Distillation


@dataclass(frozen=True)
class TeacherResult:
    """A trained teacher.

    Args:
        model: the network, in evaluation mode.
        output: its frozen ``logits [N, C]`` and hops.
        scores: ``val`` and ``test``.
        fit: epochs and seconds.
    """

    model: nn.Module
    output: TeacherOutput
    scores: dict[str, float]
    fit: Fit


@dataclass(frozen=True)
class StudentResult:
    """A trained student.

    Args:
        model: the network, in evaluation mode.
        arguments: with which it was constructed.
        propagation: how its inputs were mixed over the graph.
        scores: ``val``, ``test`` and ``test_macro_f1``.
        fit: epochs and seconds.
        compile_seconds: of the compile stage.
    """

    model: nn.Module
    arguments: dict[str, Any]
    propagation: Propagation
    scores: dict[str, float]
    fit: Fit
    compile_seconds: float


def teach(graph: Graph, recipe: Recipe, seed: int, log: Log) -> TeacherResult:
    """Trains the teacher on the labelled nodes, all nodes in view.

    Args:
        graph: checked data.
        recipe: names the teacher and the training.
        seed: of initialisation and dropout.
        log: receives one record per epoch.
    """
    training = recipe.training
    with seeded(seed, "teacher", graph.y.device):
        model = recipe.teacher(num_features=graph.num_features, num_classes=graph.num_classes)
        model.to(graph.y.device)
        labels, val_labels = graph.y[graph.train], graph.y[graph.val]

        def loss() -> dict[str, Tensor]:
            logits = model(graph.x, graph.adj).logits.index_select(0, graph.train)
            return {"loss": nn.functional.cross_entropy(logits, labels)}

        def score() -> float:
            return evaluation.score(graph.metric, model(graph.x, graph.adj).logits[graph.val], val_labels)

        optimiser = (training.teacher_lr, training.teacher_weight_decay)
        result = fit("teacher", model, loss, score, training, *optimiser, log)
    with torch.no_grad():
        output = model(graph.x, graph.adj).detach()
    scores = {
        "val": evaluation.score(graph.metric, output.logits[graph.val], graph.y[graph.val]),
        "test": evaluation.score(graph.metric, output.logits[graph.test], graph.y[graph.test]),
    }
    return TeacherResult(model, output, scores, result)


def compile_targets(graph: Graph, recipe: Recipe, output: TeacherOutput) -> Targets:
    """Everything the student will see, computed once; the graph is not needed afterwards."""
    influence = None if recipe.influence is None else _checked(recipe.influence(graph.x, graph.adj), graph)
    with torch.no_grad():
        targets = recipe.method.prepare(graph.with_influence(influence), output)
    return targets if recipe.matching.name == "none" else targets.with_hops(output.hops[:-1])


def train_student(
    graph: Graph, recipe: Recipe, output: TeacherOutput, seed: int, log: Log, stage: str = "student"
) -> StudentResult:
    """Compiles the targets and trains the student on them.

    Args:
        graph: checked data; afterwards only its labels and node lists are read.
        recipe: names method, matching, influence, student and training.
        output: the frozen teacher.
        seed: of initialisation, dropout and drawn matchings; equal for every method, so that students
            are compared from the same start.
        log: receives one record per epoch.
        stage: name in log and progress bar.
    """
    start = time.perf_counter()
    targets = compile_targets(graph, recipe, output)
    compile_seconds = time.perf_counter() - start
    training, device = recipe.training, graph.y.device
    sizes = {"num_features": targets.inputs.shape[1], "num_classes": graph.num_classes}
    with seeded(seed, "student", device):
        student = recipe.student(**sizes).to(device)
        with torch.no_grad():
            hidden = student.eval()(select_rows(targets.inputs, graph.train[:1])).hidden
        term = recipe.matching_term(hidden, targets.hops, seed)
        # Methods may hold parameters that train: a copy, so that no seed starts from another's.
        task = Distillation(student, copy.deepcopy(recipe.method), term, recipe.matching.weight).to(device)
        batch, val_rows = targets.without_idle_rows(), select_rows(targets.inputs, graph.val)
        val_labels = graph.y[graph.val]

        def score() -> float:
            return evaluation.score(graph.metric, student(val_rows).logits, val_labels)

        optimiser = (training.lr, training.weight_decay)
        result = fit(stage, task, lambda: task(batch), score, training, *optimiser, log)
    scores = _student_scores(student, targets, graph)
    arguments = {**settings_of(recipe.student), **sizes}
    return StudentResult(student, arguments, targets.propagation, scores, result, compile_seconds)


def train_baseline(graph: Graph, recipe: Recipe, output: TeacherOutput, seed: int, log: Log) -> StudentResult:
    """The same student, plainly trained on the same labels: no teacher, no graph."""
    plain = recipe.with_method(MLP())
    return train_student(graph, plain, output, seed, log, stage="mlp")


def _student_scores(student: nn.Module, targets: Targets, graph: Graph) -> dict[str, float]:
    with torch.no_grad():
        val, test = (student(select_rows(targets.inputs, nodes)).logits for nodes in (graph.val, graph.test))
    return {
        "val": evaluation.score(graph.metric, val, graph.y[graph.val]),
        "test": evaluation.score(graph.metric, test, graph.y[graph.test]),
        "test_macro_f1": macro_f1(test, graph.y[graph.test]),
    }


def _checked(influence: Tensor, graph: Graph) -> Tensor:
    right = isinstance(influence, Tensor) and influence.shape == (graph.num_nodes,)
    if not right or not bool(((influence >= 0) & (influence <= 1)).all()):
        raise GraphKDError(f"influence must return a tensor [{graph.num_nodes}] of weights between 0 and 1")
    return influence
