"""The first stage: a teacher is trained, or taken as it comes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.datasets import Graph, Scene
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.recipe import Recipe
from graphkd.teachers import Teacher, TeacherOutput
from graphkd.teachers.given import given_output
from graphkd.training.artefacts import Artefact, Artefacts, arithmetic, cache_for, code_of, digest, made_by_first
from graphkd.training.checkpoint import Checkpoint
from graphkd.training.loop import Fit, fit
from graphkd.training.progress import Log
from graphkd.training.scores import scores
from graphkd.training.seeds import seeded
from graphkd.training.teacher_batches import WAYS
from graphkd.training.trainee import Trainee


@dataclass(frozen=True)
class TeacherResult:
    """A teacher and what it says.

    Args:
        model: the network, in evaluation mode; nothing where only its output was given.
        output: its frozen ``logits [n, C]`` and hops on the observed graph.
        scores: ``val``, ``test`` and what the setting adds.
        fit: epochs and seconds; of a given teacher 0.
        key: what the output depends on; part of the key of what is made from it.
        of: what it says of any graph, frozen; where only its output was given, that.
    """

    model: nn.Module | None
    output: TeacherOutput
    scores: dict[str, float]
    fit: Fit
    key: dict[str, Any]
    of: Callable[[Graph], TeacherOutput]


def teach(scene: Scene, recipe: Recipe, seed: int, log: Log, cache: Artefacts | None = None) -> TeacherResult:
    """Trains the teacher on the labelled nodes, all observed nodes in view.

    Args:
        scene: the graph as the setting shows it.
        recipe: names the teacher and the training, or holds a teacher that is given.
        seed: of initialisation and dropout.
        log: receives one record per epoch.
        cache: where a finished teacher is kept, and found.

    Raises:
        GraphKDError: a given teacher does not fit the data or the setting.
    """
    if isinstance(recipe.teacher, nn.Module | TeacherOutput):
        return _given(scene, recipe.teacher)
    cache = cache_for(recipe, cache)
    graph, device = scene.observed, scene.observed.y.device
    key = _key(scene, recipe, seed)
    kept = cache.load("teacher", key)
    with seeded(seed, "teacher", device):
        model = recipe.teacher(num_features=graph.num_features, num_classes=graph.num_classes).to(device)
        found = kept or _trained(model, graph, recipe, seed, Checkpoint(cache, "teacher", key))
        model.load_state_dict(dict(found.tensors))
    records, result = found.facts["log"], Fit(**found.facts["fit"])
    log += records
    if kept is None:
        cache.save("teacher", key, found)
    run = _Frozen(functools.partial(_ask, recipe.training.teacher_batches, model))
    in_files = cache.tables.bytes is not None
    weights = digest({name: tensor.cpu() for name, tensor in model.state_dict().items()})
    with cache.workspace("teacher", {**key, "weights": weights, "tables": code_of("tables")}):
        output, hidden = world().in_turn(lambda: _outputs(scene, run), in_files)
    return TeacherResult(model, output, scores(scene, output.logits, hidden), result, key, run)


def _trained(model: nn.Module, graph: Graph, recipe: Recipe, seed: int, part: Checkpoint) -> Artefact:
    """Several processes train a teacher together where they can share its steps; else the first one does."""

    def train() -> Artefact:
        log = Log()
        result = _train(model, graph, recipe, seed, log, part)
        return Artefact(model.state_dict(), {"log": log, "fit": asdict(result)})

    return train() if WAYS[recipe.training.teacher_batches].shares(model) else made_by_first(train)


def _train(model: nn.Module, graph: Graph, recipe: Recipe, seed: int, log: Log, part: Checkpoint) -> Fit:
    training = recipe.training
    batches = WAYS[training.teacher_batches](model, graph, training, seed)
    trainee = Trainee(
        model,
        lambda _: model.state_dict(),
        [[{"params": list(model.parameters()), "lr": training.teacher_lr}]],
        [training.teacher_weight_decay],
        batches.steps,
        batches.score,
        replays=batches.replays and isinstance(model, Teacher),
    )
    return fit("teacher", trainee, training, [log], part)[0]


def _given(scene: Scene, teacher: nn.Module | TeacherOutput) -> TeacherResult:
    if isinstance(teacher, TeacherOutput) and scene.setting.hides:
        raise GraphKDError(
            f"a teacher given by its logits has seen every node, setting={scene.setting.name} hides some: "
            "give the network itself, or use setting=transductive"
        )
    if scene.setting.hides:
        warnings.warn(
            f"setting={scene.setting.name} hides nodes that the given teacher may have seen when it was fitted",
            stacklevel=2,
        )
    run = _Frozen(functools.partial(given_output, teacher))
    output, hidden = _outputs(scene, run)
    model = None if isinstance(teacher, TeacherOutput) else teacher
    fit = Fit(epochs=0, best_epoch=0, seconds=0.0)
    key = {"given": output.checksum()}
    return TeacherResult(model, output, scores(scene, output.logits, hidden), fit, key, run)


@dataclass(frozen=True)
class _Frozen:
    """A teacher's output without gradients; an object, since a run can be pickled and closures cannot."""

    run: Callable[[Graph], TeacherOutput]

    def __call__(self, graph: Graph) -> TeacherOutput:
        with torch.no_grad():
            return self.run(graph).detach()


def _ask(way: str, model: nn.Module, graph: Graph) -> TeacherOutput:
    return WAYS[way].run(model.eval(), graph)


def _outputs(scene: Scene, run: Callable[[Graph], TeacherOutput]) -> tuple[TeacherOutput, Tensor]:
    """The output on the observed graph, and ``[m, C]`` logits of hidden nodes in the full one."""
    output = run(scene.observed)
    hidden = run(scene.full).logits[scene.hidden] if scene.setting.hides else output.logits[:0]
    return output, hidden


def _key(scene: Scene, recipe: Recipe, seed: int) -> dict[str, Any]:
    config = recipe.config()
    return {
        "graph": scene.observed.fingerprint(),
        "classes": scene.observed.num_classes,
        "metric": scene.observed.metric,
        "setting": scene.setting.name,
        "teacher": config["teacher"],
        "training": [
            *(config["training"][key] for key in ("max_epochs", "patience", "teacher_lr", "teacher_weight_decay")),
            *WAYS[recipe.training.teacher_batches].key(config["training"]),
        ],
        "seed": seed,
        "device": arithmetic(scene.observed.y.device),
        "code": code_of(
            "datasets",
            "distributed",
            "evaluation",
            "sparse",
            "teachers",
            "training",
            "dropout",
            "kernels.py",
            "layers.py",
            "recipe.py",
        ),
    }
