"""The first stage: a teacher is trained, or the user's is run."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.datasets import Graph, SettingView
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.evaluation import ConfusionMatrix
from graphkd.spec import DistillSpec
from graphkd.teachers import Teacher, TeacherOutput
from graphkd.teachers.given import given_output
from graphkd.teachers.label_inputs import answer_with_labels
from graphkd.training.fit.checkpoint import Checkpoint
from graphkd.training.fit.loop import Fit, fit
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.fit.train_state import Log
from graphkd.training.scoring.setting_scores import SettingLogits
from graphkd.training.seeds import seeded
from graphkd.training.settings import Training
from graphkd.training.stages.stage_cache import (
    StageCache,
    StageResult,
    arithmetic,
    cache_for,
    code_digest,
    computed_on_rank0,
    digest,
)
from graphkd.training.teacher_batches import WAYS
from graphkd.training.teacher_batches.label_inputs import LabelInputs


@dataclass(frozen=True)
class TeacherResult:
    """A teacher and its output.

    Args:
        model: the network, in evaluation mode; None where only its output was given.
        output: its frozen ``logits [n, C]`` and hops on the observed graph.
        scores: ``val``, ``test`` and what the setting adds.
        fit: epochs and seconds; of a given teacher 0.
        key: what the output depends on; part of the key of what is computed from it.
        of: computes its frozen output on any graph; where only its output was given, returns that.
        confusion: of the test nodes; None where there was no teacher.
        transformed: whether output and scores are those of the transformed teacher.
    """

    model: nn.Module | None
    output: TeacherOutput
    scores: dict[str, float]
    fit: Fit
    key: dict[str, Any]
    of: Callable[[Graph], TeacherOutput]
    confusion: ConfusionMatrix | None = None
    transformed: bool = False

    @property
    def answering(self) -> TeacherOutput:
        """The output, with the network and the function that computes it on other graphs, for a method."""
        return replace(self.output, model=self.model, of=self.of)


def train_teacher(
    view: SettingView, spec: DistillSpec, seed: int, log: Log, cache: StageCache | None = None
) -> TeacherResult:
    """Trains the teacher on the labelled nodes, all observed nodes in view.

    Args:
        view: the setting's view of the graph.
        spec: names the teacher and the training, or holds a given teacher.
        seed: of initialisation and dropout.
        log: receives one record per epoch.
        cache: where a finished teacher is saved, and loaded from.

    Raises:
        GraphKDError: a given teacher does not fit the data or the setting.
    """
    if not spec.uses_teacher:
        return _none(view)
    if isinstance(spec.teacher, nn.Module | TeacherOutput):
        return _given(view, spec.teacher)
    cache = cache_for(spec, cache)
    graph, device = view.observed, view.observed.y.device
    key = _key(view, spec, seed)
    with seeded(seed, "teacher", device):
        width = spec.training.teacher_width(graph.num_features, graph.num_classes)
        model = spec.teacher(num_features=width, num_classes=graph.num_classes).to(device)
        part = Checkpoint(cache, "teacher", key)
        stage_result = cache.stage("teacher", key, lambda: _trained(model, graph, spec, seed, part))
        model.load_state_dict(dict(stage_result.tensors))
    records, result = stage_result.facts["log"], Fit(**stage_result.facts["fit"])
    log += records
    run = _Frozen(_run_of(spec.training, model))
    in_files = cache.tables.bytes is not None
    weights = digest({name: tensor.cpu() for name, tensor in model.state_dict().items()})
    with cache.table_store("teacher", {**key, "weights": weights}):
        output, hidden = world().rank0_first(lambda: _outputs(view, run), in_files)
    logits = SettingLogits.of_nodes(view, output.logits, hidden)
    return TeacherResult(model, output, logits.scores, result, key, run, logits.confusion)


def _trained(model: nn.Module, graph: Graph, spec: DistillSpec, seed: int, part: Checkpoint) -> StageResult:
    """Trains a teacher, on several processes where they can share its steps, else on rank 0 alone."""

    def train() -> StageResult:
        log = Log()
        result = _train(model, graph, spec, seed, log, part)
        return StageResult(model.state_dict(), {"log": log, "fit": asdict(result)})

    return train() if WAYS[spec.training.teacher_batches].shares(model) else computed_on_rank0(train)


def _train(model: nn.Module, graph: Graph, spec: DistillSpec, seed: int, log: Log, part: Checkpoint) -> Fit:
    training = spec.training
    way = LabelInputs if training.teacher_label_rate else WAYS[training.teacher_batches]
    batches = way(model, graph, training, seed)
    train_spec = TrainSpec(
        model,
        lambda _: model.state_dict(),
        [[{"params": list(model.parameters()), "lr": training.teacher_lr}]],
        [training.teacher_weight_decay],
        batches.steps,
        batches.score,
        replays=batches.replays and isinstance(model, Teacher) and model.static_step,
        optimiser=training.teacher_optimiser,
    )
    return fit("teacher", train_spec, training, [log], part)[0]


def _given(view: SettingView, teacher: nn.Module | TeacherOutput) -> TeacherResult:
    if isinstance(teacher, TeacherOutput) and view.setting.hides:
        raise GraphKDError(
            f"a teacher given by its logits has seen every node, setting={view.setting.name} hides some: "
            "give the network itself, or use setting=transductive"
        )
    if view.setting.hides:
        warnings.warn(
            f"setting={view.setting.name} hides nodes that the given teacher may have seen when it was fitted",
            stacklevel=2,
        )
    run = _Frozen(functools.partial(given_output, teacher))
    output, hidden = _outputs(view, run)
    model = None if isinstance(teacher, TeacherOutput) else teacher
    fit = Fit(epochs=0, best_epoch=0, seconds=0.0)
    key = {"given": output.checksum()}
    logits = SettingLogits.of_nodes(view, output.logits, hidden)
    return TeacherResult(model, output, logits.scores, fit, key, run, logits.confusion)


def _none(view: SettingView) -> TeacherResult:
    """The teacher of a method that reads none: zeros, without scores."""
    graph = view.observed
    output = TeacherOutput(torch.zeros(graph.num_nodes, graph.num_classes, device=graph.y.device))
    return TeacherResult(None, output, {}, Fit(0, 0, 0.0), {"none": True}, _no_teacher)


def _no_teacher(graph: Graph) -> TeacherOutput:
    raise GraphKDError("the method reads no teacher, and none was trained: choose another method")


@dataclass(frozen=True)
class _Frozen:
    """A teacher's output without gradients; an object, since a run can be pickled and closures cannot."""

    run: Callable[[Graph], TeacherOutput]

    def __call__(self, graph: Graph) -> TeacherOutput:
        with torch.no_grad():
            return self.run(graph).detach()


def _run_of(training: Training, model: nn.Module) -> Callable[[Graph], TeacherOutput]:
    """Returns what computes a trained teacher's output on a graph."""
    ask = functools.partial(_ask, training.teacher_batches, model)
    if not training.teacher_label_rate:
        return ask
    return functools.partial(answer_with_labels, ask, training.teacher_label_reuse)


def _ask(way: str, model: nn.Module, graph: Graph) -> TeacherOutput:
    return WAYS[way].run(model.eval(), graph)


def _outputs(view: SettingView, run: Callable[[Graph], TeacherOutput]) -> tuple[TeacherOutput, Tensor]:
    """Computes the output on the observed graph, and ``[m, C]`` logits of hidden nodes in the full one."""
    output = run(view.observed)
    hidden = run(view.full).logits[view.hidden] if view.setting.hides else output.logits[:0]
    return output, hidden


def _key(view: SettingView, spec: DistillSpec, seed: int) -> dict[str, Any]:
    config = spec.config()
    return {
        "graph": view.observed.fingerprint(),
        "classes": view.observed.num_classes,
        **key_of_task(view.observed),
        "metric": spec.training.metric or view.observed.metric,
        "setting": view.setting.name,
        "teacher": config["teacher"],
        "training": [
            *(config["training"][key] for key in ("max_epochs", "patience", "teacher_lr", "teacher_weight_decay")),
            *WAYS[spec.training.teacher_batches].key(config["training"]),
            *spec.training.key_of("teacher"),
        ],
        "seed": seed,
        "device": arithmetic(view.observed.y.device),
        "code": code_digest(spec.installed),
    }


def key_of_task(graph: Graph) -> dict[str, Any]:
    """Returns what the key of a stage says of the task: nothing of classes, whose keys are older than tasks."""
    return {} if graph.task.one_class else {"task": graph.task.name}
