"""The third stage: a student is trained on compiled targets."""

from __future__ import annotations

import copy
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.datasets import Graph, Scene
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.methods import Propagation, Targets
from graphkd.recipe import Recipe, settings_of
from graphkd.sparse import Inputs, at_least_single, select_rows
from graphkd.training.answers import Answers
from graphkd.training.artefacts import Artefact, Artefacts, arithmetic, cache_for, code_of
from graphkd.training.batches import Batches
from graphkd.training.checkpoint import Checkpoint
from graphkd.training.compile import compile_targets
from graphkd.training.loop import Fit, fit
from graphkd.training.progress import Log
from graphkd.training.scored import Scored
from graphkd.training.scores import scores_of
from graphkd.training.seeds import seeded
from graphkd.training.task import Distillation
from graphkd.training.teach import TeacherResult
from graphkd.training.trainee import Trainee

SHAPERS = ("together", "precision", "compile")
"""Keys of ``training`` that change a student's rounding, or its masks."""


@dataclass(frozen=True)
class StudentResult:
    """A trained student.

    Args:
        task: the student, in evaluation mode, with what was trained beside it.
        arguments: with which the student was constructed.
        propagation: how its inputs were mixed over the graph.
        scores: ``val``, ``test``, ``test_macro_f1`` and what the setting adds.
        fit: epochs and seconds.
        compile_seconds: of the compile stage.
    """

    task: Distillation
    arguments: dict[str, Any]
    propagation: Propagation
    scores: dict[str, float]
    fit: Fit
    compile_seconds: float

    @property
    def model(self) -> nn.Module:
        """The student."""
        return self.task.student


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
    targets = compile_targets(scene, recipe, taught, seed, cache)
    compile_seconds = time.perf_counter() - start
    key = student_key(scene, recipe, taught, seed, cache.tables.dtype)
    kept = cache.load("student", key)
    task, records, result = _trained(
        scene.observed, recipe, targets, seed, stage, kept, Checkpoint(cache, "student", key)
    )
    log += [{**record, "stage": stage} for record in records]
    if kept is None:
        cache.save("student", key, Artefact(task.state_dict(), {"log": records, "fit": asdict(result)}))
    found = student_scores(task.student, targets.inputs, targets.propagation, scene)
    arguments = {**settings_of(recipe.student), **_sizes(targets, scene.observed)}
    return StudentResult(task, arguments, targets.propagation, found, result, compile_seconds)


def train_baselines(
    scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int, log: Log, cache: Artefacts | None = None
) -> dict[str, StudentResult]:
    """Trains the same student plainly on the same labels, without a teacher: on raw rows and on its own inputs.

    Returns:
        By name, see ``Recipe.baselines``.
    """
    return {
        name: train_student(scene, plain, taught, seed, log, cache, stage=name)
        for name, plain in recipe.baselines.items()
    }


def student_scores(student: nn.Module, inputs: Inputs, propagation: Propagation, scene: Scene) -> dict[str, float]:
    """Scores of a student.

    Args:
        student: the network, in evaluation mode.
        inputs: ``[n, D']`` of the observed nodes.
        propagation: how they were mixed; hidden nodes' rows are mixed over the full graph.
        scene: the graph as the setting shows it.
    """
    graph = scene.observed
    observed = Answers(student, inputs, torch.cat([graph.val, graph.test]))()
    val, visible = observed[: graph.val.numel()], observed[graph.val.numel() :]
    hidden = val[:0]
    if scene.setting.hides:
        hidden = Answers(student, propagation.mix(scene.full.x, scene.full.adj), scene.hidden)()
    return scores_of(scene, val, visible, hidden, with_f1=True)


def start_task(graph: Graph, recipe: Recipe, targets: Targets, seed: int) -> Distillation:
    """A student at its start, with the criterion and the matching that it trains with.

    The student draws from torch's generator, which ``seeded(seed, "student", …)`` sets; the matching has a stream
    of its own, so that students of one seed begin and drop out alike, whatever they are matched to.

    Args:
        graph: the observed one.
        recipe: names student, method and matching.
        targets: compiled; say the widths.
        seed: of what the matching draws.
    """
    device = graph.y.device
    student = recipe.student(**_sizes(targets, graph)).to(device)
    first = at_least_single(select_rows(targets.inputs, graph.train[:1].to(targets.inputs.device))).to(device)
    with torch.no_grad():
        hidden = student.eval()(first).hidden
    with seeded(seed, "matching", device):
        term = recipe.matching_term(hidden, targets.hops, seed)
    # Methods may hold parameters that train: a copy, so that no seed starts from another's.
    method, training = copy.deepcopy(recipe.method), recipe.training
    task = Distillation(
        student, method, term, recipe.matching.weight, training.precision, compiles(training.compile, device)
    )
    return task.to(device)


def compiles(asked: bool, device: torch.device) -> bool:
    """``asked``, if the compiler that it takes is there.

    Raises:
        GraphKDError: it is not.
    """
    compiler = os.environ.get("CXX", "g++")
    if asked and device.type == "cpu" and shutil.which(compiler) is None:
        raise GraphKDError(
            f"training.compile needs a C++ compiler, and {compiler} is not there: install one, or "
            "leave training.compile out"
        )
    return asked


def _trained(
    graph: Graph, recipe: Recipe, targets: Targets, seed: int, stage: str, kept: Artefact | None, part: Checkpoint
) -> tuple[Distillation, Log, Fit]:
    """The task, its log and its fit: trained, or as it was kept."""
    with seeded(seed, "student", graph.y.device):
        task = start_task(graph, recipe, targets, seed)
        if kept is None:
            return task, *_fit(task, graph, recipe, targets, seed, stage, part)
    task.load_state_dict(dict(kept.tensors))
    return task.eval(), kept.facts["log"], Fit(**kept.facts["fit"])


def _fit(
    task: Distillation, graph: Graph, recipe: Recipe, targets: Targets, seed: int, stage: str, part: Checkpoint
) -> tuple[Log, Fit]:
    log, training = Log(), recipe.training
    batches = Batches(targets.without_idle_rows(), training.batch_size, seed, graph.y.device)
    forward = world().shared(task, unused=task.matching is not None and task.matching.rests)

    def steps(epoch: int) -> Iterator[dict[str, Tensor]]:
        task.start_epoch(epoch)
        for batch in batches.epoch(epoch):
            yield forward(batch)

    trainee = Trainee(
        task,
        lambda _: task.state_dict(),
        [task.parameter_groups(training.lr)],
        [training.weight_decay],
        steps,
        Scored.of(task.student, targets.inputs, graph),
        replays=batches.whole and task.replays,
    )
    return log, fit(stage, trainee, training, [log], part)[0]


def _sizes(targets: Targets, graph: Graph) -> dict[str, int]:
    return {"num_features": targets.inputs.shape[1], "num_classes": graph.num_classes}


def student_key(scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int, tables: str) -> dict[str, Any]:
    """All that the student depends on; the plain MLP, which has no teacher, is the same beside every one.

    Args:
        scene: the graph as the setting shows it.
        recipe: names the parts.
        taught: the teacher.
        seed: of the student.
        tables: the type in which the cache keeps tables.
    """
    config = recipe.config()
    own = {"graph": scene.observed.fingerprint(), "setting": scene.setting.name}
    seen = {"full": scene.full.fingerprint()} if recipe.leaks else {}
    return {
        "teacher": taught.key if recipe.hears_teacher else None,
        **own,
        **seen,
        **{part: config[part] for part in ("student", "method", "influence")},
        "matching": None if recipe.matching.name == "none" else config["matching"],
        "training": [
            config["training"][key]
            for key in ("max_epochs", "patience", "lr", "weight_decay", "batch_size", *SHAPERS)
        ],
        "seed": seed,
        "metric": scene.observed.metric,
        "classes": scene.observed.num_classes,
        "device": arithmetic(scene.observed.y.device),
        "tables": tables,
        "code": code_of(
            "datasets",
            "distributed",
            "evaluation",
            "influence",
            "matching",
            "methods",
            "sparse",
            "students",
            "tables",
            "training",
            "dropout",
            "kernels.py",
            "layers.py",
            "recipe.py",
        ),
    }
