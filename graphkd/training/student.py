"""The third stage: a student is trained on compiled targets."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from graphkd import evaluation
from graphkd.datasets import Graph, Scene
from graphkd.methods import MLP, Propagation, Targets
from graphkd.recipe import Recipe, settings_of
from graphkd.sparse import Factored, Inputs, mix, select_rows
from graphkd.training.artefacts import Artefact, Artefacts, cache_for, code_of
from graphkd.training.compile import compile_targets
from graphkd.training.loop import Fit, Log, fit
from graphkd.training.scores import scores
from graphkd.training.seeds import seeded
from graphkd.training.task import Distillation
from graphkd.training.teach import TeacherResult

ROWS_SHARE = 0.05
"""Up to this share of the nodes, rows of factored inputs are made once instead of all logits every time."""


@dataclass(frozen=True)
class StudentResult:
    """A trained student.

    Args:
        model: the network, in evaluation mode.
        arguments: with which it was constructed.
        propagation: how its inputs were mixed over the graph.
        scores: ``val``, ``test``, ``test_macro_f1`` and what the setting adds.
        fit: epochs and seconds.
        compile_seconds: of the compile stage.
    """

    model: nn.Module
    arguments: dict[str, Any]
    propagation: Propagation
    scores: dict[str, float]
    fit: Fit
    compile_seconds: float


def train_student(
    scene: Scene,
    recipe: Recipe,
    taught: TeacherResult,
    seed: int,
    log: Log,
    cache: Artefacts | None = None,
    stage: str = "student",
) -> StudentResult:
    """Compiles the targets and trains the student on them.

    Args:
        scene: the graph as the setting shows it.
        recipe: names method, matching, influence, student and training.
        taught: the teacher.
        seed: of initialisation, dropout and drawn matchings; equal for every method, so that students
            are compared from the same start.
        log: receives one record per epoch.
        cache: where a finished student is kept, and found.
        stage: name in log and progress bar.
    """
    start, cache = time.perf_counter(), cache_for(recipe, cache)
    targets = compile_targets(scene, recipe, taught.output, cache)
    compile_seconds = time.perf_counter() - start
    key = _key(scene, recipe, taught, seed)
    kept = cache.load("student", key)
    student, arguments, records, result = _student(scene.observed, recipe, targets, seed, stage, kept)
    log += [{**record, "stage": stage} for record in records]
    if kept is None:
        cache.save("student", key, Artefact(student.state_dict(), {"log": records, "fit": asdict(result)}))
    found = student_scores(student, targets.inputs, targets.propagation, scene)
    return StudentResult(student, arguments, targets.propagation, found, result, compile_seconds)


def train_baseline(
    scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int, log: Log, cache: Artefacts | None = None
) -> StudentResult:
    """The same student, plainly trained on the same labels: no teacher, no graph."""
    return train_student(scene, recipe.with_method(MLP()), taught, seed, log, cache, stage="mlp")


def student_scores(student: nn.Module, inputs: Inputs, propagation: Propagation, scene: Scene) -> dict[str, float]:
    """Scores of a student.

    Args:
        student: the network, in evaluation mode.
        inputs: ``[n, D']`` of the observed nodes.
        propagation: how they were mixed; hidden nodes' rows are mixed over the full graph.
        scene: the graph as the setting shows it.
    """
    with torch.no_grad():
        observed = student(inputs).logits
        hidden = observed[:0]
        if scene.setting.hides:
            mixed = mix(scene.full.x, scene.full.adj, propagation.hops, propagation.self_loops)
            hidden = student(select_rows(mixed, scene.hidden)).logits
    return scores(scene, observed, hidden, with_f1=True)


def _student(
    graph: Graph, recipe: Recipe, targets: Targets, seed: int, stage: str, kept: Artefact | None
) -> tuple[nn.Module, dict[str, Any], Log, Fit]:
    """The student with its arguments, log and fit: trained, or as it was kept."""
    device, log = graph.y.device, Log()
    sizes = {"num_features": targets.inputs.shape[1], "num_classes": graph.num_classes}
    with seeded(seed, "student", device):
        student = recipe.student(**sizes).to(device)
        if kept is not None:
            student.load_state_dict(dict(kept.tensors))
            log, result = kept.facts["log"], Fit(**kept.facts["fit"])
        else:
            with torch.no_grad():
                hidden = student.eval()(select_rows(targets.inputs, graph.train[:1])).hidden
            term = recipe.matching_term(hidden, targets.hops, seed)
            # Methods may hold parameters that train: a copy, so that no seed starts from another's.
            method = copy.deepcopy(recipe.method)
            task = Distillation(student, method, term, recipe.matching.weight).to(device)
            batch, score = targets.without_idle_rows(), _validation(student, targets.inputs, graph)
            optimiser = (recipe.training.lr, recipe.training.weight_decay)
            result = fit(stage, task, lambda: task(batch), score, recipe.training, *optimiser, log)
    return student.eval(), {**settings_of(recipe.student), **sizes}, log, result


def _validation(student: nn.Module, inputs: Inputs, graph: Graph) -> Callable[[], float]:
    """The score of the validation nodes, from their own rows where these are few."""
    nodes, labels = graph.val, graph.y[graph.val]
    if isinstance(inputs, Factored) and nodes.numel() > ROWS_SHARE * graph.num_nodes:
        return lambda: evaluation.score(graph.metric, student(inputs).logits[nodes], labels)
    rows = select_rows(inputs, nodes)
    return lambda: evaluation.score(graph.metric, student(rows).logits, labels)


def _key(scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int) -> dict[str, Any]:
    """All that the student depends on; the plain MLP, which has no teacher, is the same beside every one."""
    config = recipe.config()
    own = {"graph": scene.observed.fingerprint(), "setting": scene.setting.name}
    seen = {"full": scene.full.fingerprint()} if recipe.leaks else {}
    return {
        "teacher": taught.key if recipe.method.has_teacher else None,
        **own,
        **seen,
        **{part: config[part] for part in ("student", "method", "matching", "influence")},
        "training": [config["training"][key] for key in ("max_epochs", "patience", "lr", "weight_decay")],
        "seed": seed,
        "metric": scene.observed.metric,
        "classes": scene.observed.num_classes,
        "device": scene.observed.y.device.type,
        "code": code_of(
            "datasets",
            "evaluation",
            "influence",
            "matching",
            "methods",
            "sparse",
            "students",
            "training",
            "layers.py",
            "recipe.py",
        ),
    }
