"""The third stage: a student is trained on compiled targets."""

from __future__ import annotations

import copy
import functools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.balance.class_sizes import balanced_weights
from graphkd.balance.logit_adjustment import answer_bias
from graphkd.datasets import Graph, SettingView
from graphkd.distributed import world
from graphkd.encoders import Encoding
from graphkd.errors import GraphKDError
from graphkd.evaluation import ConfusionMatrix
from graphkd.methods import Epoch, Phase, Targets
from graphkd.sparse import at_least_single, select_rows
from graphkd.spec import DistillSpec, part_config, settings_of
from graphkd.students.ensemble import extra_arguments
from graphkd.teachers import TeacherOutput
from graphkd.training.fit.batches import Batches
from graphkd.training.fit.checkpoint import Checkpoint
from graphkd.training.fit.loop import Fit, fit
from graphkd.training.fit.task import DistillationTask
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.fit.train_state import Log
from graphkd.training.scoring.inference import Inference
from graphkd.training.scoring.setting_scores import student_logits
from graphkd.training.scoring.temperature import Temperature, calibrate, check_scalable
from graphkd.training.scoring.validation_metric import ValidationMetric
from graphkd.training.seeds import seeded
from graphkd.training.settings import Training
from graphkd.training.stages.encoder import fit_encoder
from graphkd.training.stages.stage_cache import StageCache, StageResult, arithmetic, cache_for, code_digest
from graphkd.training.stages.targets import built_balance, built_calibration, compile_targets
from graphkd.training.stages.teacher import TeacherResult, key_of_task
from graphkd.training.stages.transform import transformed

SHAPERS = ("together", "precision", "compile")
"""Keys of ``training`` that change a student's rounding, or its masks."""


@dataclass(frozen=True)
class StudentResult:
    """A trained student.

    Args:
        task: the student, in evaluation mode, with what was trained beside it.
        arguments: with which the student was constructed.
        encoding: of its inputs.
        scores: see ``SettingLogits.scores``.
        confusion: of the test nodes; None where they have not one class each.
        fit: epochs and seconds.
        compile_seconds: of the compile stage, and of the transform before it.
        teacher_result: that it learned from, transformed.
        temperature: that its logits are divided by, where they are calibrated.
    """

    task: DistillationTask
    arguments: dict[str, Any]
    encoding: Encoding
    scores: dict[str, float]
    confusion: ConfusionMatrix | None
    fit: Fit
    compile_seconds: float
    teacher_result: TeacherResult
    temperature: Temperature | None = None

    @property
    def model(self) -> nn.Module:
        """The student."""
        return self.task.student


def train_student(
    view: SettingView,
    spec: DistillSpec,
    teacher_result: TeacherResult,
    seed: int,
    log: Log,
    cache: StageCache | None = None,
    stage: str = "student",
) -> StudentResult:
    """Compiles the targets and trains the student on them.

    Args:
        view: the graph as the setting shows it.
        spec: names method, terms, influence, student and training.
        teacher_result: the teacher.
        seed: of initialisation, dropout and drawn matchings; equal for every method, so that students
            are compared from the same start.
        log: receives one record per epoch.
        cache: where a finished student is kept, and found.
        stage: name in log and progress bar.
    """
    start, cache = time.perf_counter(), cache_for(spec, cache)
    encoding = fit_encoder(view.observed, spec, seed, cache)
    teacher_result = transformed(view, spec, teacher_result, seed, cache)
    targets = compile_targets(view, spec, teacher_result, seed, cache, encoding)
    compile_seconds = time.perf_counter() - start
    key = student_key(view, spec, teacher_result, seed, cache.tables.dtype)
    with seeded(seed, "student", view.observed.y.device):
        task = start_task(view.observed, spec, targets, seed, teacher_result.answering)
        run = _Run(task, view.observed, spec, targets, seed, stage, cache, key)
        fits = run.phases(log)
    task.balance.adjust_answer(task.student)
    view.observed.task.finish(task.student)
    arguments = {**settings_of(spec.student), **_sizes(targets, view.observed), **extra_arguments(task.student)}
    logits, temperature = student_logits(task.student, targets.inputs, encoding, view), None
    if spec.calibrate:
        temperature = calibrate(task.student, logits)
        logits = student_logits(task.student, targets.inputs, encoding, view)
    scored = (logits.scores, logits.confusion)
    return StudentResult(
        task, arguments, encoding, *scored, fits[-1], compile_seconds, teacher_result, temperature
    )


def train_baselines(
    view: SettingView,
    spec: DistillSpec,
    teacher_result: TeacherResult,
    seed: int,
    log: Log,
    cache: StageCache | None = None,
) -> dict[str, StudentResult]:
    """Trains the same student plainly on the same labels, without a teacher: on raw rows and on its own inputs.

    Returns:
        By name, see ``DistillSpec.baselines``.
    """
    return {
        name: train_student(view, plain, teacher_result, seed, log, cache, stage=name)
        for name, plain in spec.baselines.items()
    }


def start_task(
    graph: Graph, spec: DistillSpec, targets: Targets, seed: int, teacher: TeacherOutput
) -> DistillationTask:
    """A student at its start, with the criterion and the terms that it trains with.

    The student draws from torch's generator, which ``seeded(seed, "student", …)`` sets; each term has a stream
    of its own, so that students of one seed begin and drop out alike, whatever is added to their loss.

    Args:
        graph: the observed one.
        spec: names student, method and terms.
        targets: compiled; the student has their widths.
        seed: of what the terms draw.
        teacher: the frozen output, transformed.
    """
    device = graph.y.device
    # Methods may hold parameters that train: a copy, so that no seed starts from another's.
    method, training = copy.deepcopy(spec.method), spec.training
    calibration = built_calibration(spec, graph, seed)
    logits = teacher.logits if calibration.moves_targets else None
    student = method.build(lambda: spec.student(**_sizes(targets, graph)).to(device), targets, teacher).to(device)
    if spec.calibrate:
        check_scalable(student, method.name)
    first = at_least_single(select_rows(targets.inputs, graph.train[:1].to(targets.inputs.device))).to(device)
    with torch.no_grad():
        hidden = student.eval()(first).hidden
    balance, terms = built_balance(spec, graph, teacher), spec.terms(seed)
    if balance.acts_on == "answer":
        answer_bias(student)
    for term in terms:
        with seeded(seed, term.name, device):
            term.build([layer.shape[1] for layer in hidden], targets)
    compiled = compiles(training.compile, device)
    task = DistillationTask(student, method, terms, training.precision, compiled, calibration, logits, balance)
    task.class_weight = balance.class_weight() if training.class_weight == "none" else balanced_weights(graph)
    task.label_smoothing = training.label_smoothing
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


@dataclass
class _Run:
    """One student in training.

    Args:
        task: at its start.
        graph: the observed one.
        spec: names student, method, terms and training.
        targets: all rows.
        seed: of the run.
        stage: name in log and progress bar.
        cache: of finished phases and checkpoints.
        key: of the student in the cache.
    """

    task: DistillationTask
    graph: Graph
    spec: DistillSpec
    targets: Targets
    seed: int
    stage: str
    cache: StageCache
    key: dict[str, Any]

    def phases(self, log: Log) -> list[Fit]:
        """Trains the phases in order, or loads those that were kept."""
        first, *later = self.task.method.phases()
        fits = [self.phase(first, log)]
        for phase in later:
            # What it draws must not depend on whether the one before it was trained or loaded.
            with seeded(self.seed, f"student-{phase.name}", self.graph.y.device):
                fits.append(self.phase(phase, log))
        return fits

    def phase(self, phase: Phase, log: Log) -> Fit:
        """Trains one phase, or loads it as it was kept; its records go to the log."""
        last = phase == self.task.method.phases()[-1]
        name = "student" if last else f"student-{phase.name}"
        key = self.key if last else {**self.key, "phase": phase.name, "training": self._settings_of(phase)}
        result = self.cache.stage(name, key, lambda: self._fit(phase, Checkpoint(self.cache, name, key)))
        self.task.load_state_dict(dict(result.tensors))
        self.task.eval()
        log += [{**record, "stage": self._name(phase)} for record in result.facts["log"]]
        return Fit(**result.facts["fit"])

    def _name(self, phase: Phase) -> str:
        """Returns the name of a phase in log and progress bar."""
        last = phase == self.task.method.phases()[-1]
        return self.stage if last else f"{self.stage}-{phase.name}"

    def _settings_of(self, phase: Phase) -> list[Any]:
        """Returns the settings that an earlier phase depends on: not on the epochs of a later one."""
        max_epochs, *rest = self.key["training"]
        return [phase.max_epochs or max_epochs, *rest]

    def _fit(self, phase: Phase, part: Checkpoint) -> StageResult:
        training, log = self.spec.training, Log()
        training = replace(
            training,
            max_epochs=phase.max_epochs or training.max_epochs,
            patience=phase.patience or training.patience,
            teacher_warmup=0,  # a phase may be shorter than that
        )
        self.task.phase = phase
        (result,) = fit(self._name(phase), self._train_spec(phase, training), training, [log], part)
        return StageResult(self.task.state_dict(), {"log": log, "fit": asdict(result)})

    def _train_spec(self, phase: Phase, training: Training) -> TrainSpec:
        task, device = self.task, self.graph.y.device
        rows = task.training_rows(self.targets)
        batches = Batches(rows, training.batch_size, self.seed, device, moves=task.moves_targets)
        forward = world().wrap_ddp(task, unused=task.may_skip_parameters)
        logits, losses = logits_of(task, rows), list[Tensor]()

        def steps(number: int) -> Iterator[dict[str, Tensor]]:
            losses.clear()
            epoch = Epoch(number, training.max_epochs, self.seed, device, logits, phase)
            task.on_epoch_start(epoch, rows)
            for batch in batches.epoch(number):
                terms = forward(batch)
                if phase.by_loss:
                    losses.append(terms["loss"].detach())
                yield terms

        return TrainSpec(
            task,
            lambda _: task.state_dict(),
            [task.parameter_groups(training.lr)],
            [training.weight_decay],
            steps,
            (lambda: -torch.stack(losses).mean().double())
            if phase.by_loss
            else ValidationMetric.of(task.student, self.targets.inputs, self.graph, self.spec.training.metric),
            replays=batches.whole and task.is_static and not phase.by_loss,
            optimiser=training.optimiser,
        )


def logits_of(task: DistillationTask, rows: Targets) -> Callable[[], Tensor]:
    """Returns a function that computes the logits of all rows, ``[N, C]``, between epochs of training."""

    @functools.cache
    def inference() -> Inference:
        return Inference(task.student, rows.inputs, torch.arange(rows.num_rows))

    def logits() -> Tensor:
        task.eval()
        result = inference()()
        task.train()
        return result

    return logits


def _sizes(targets: Targets, graph: Graph) -> dict[str, int]:
    return {"num_features": targets.inputs.shape[1], "num_classes": graph.num_classes}


def student_key(
    view: SettingView, spec: DistillSpec, teacher_result: TeacherResult, seed: int, tables: str
) -> dict[str, Any]:
    """All that the student depends on; the plain MLP, which has no teacher, is the same beside every one.

    Args:
        view: the graph as the setting shows it.
        spec: names the parts.
        teacher_result: the teacher.
        seed: of the student.
        tables: the type in which the cache keeps tables.
    """
    config = spec.config()
    own = {"graph": view.observed.fingerprint(), "setting": view.setting.name}
    seen = {"full": view.full.fingerprint()} if spec.leaks else {}
    return {
        "teacher": teacher_result.key if spec.uses_teacher else None,
        **own,
        **seen,
        **{part: config[part] for part in ("student", "method", "transform", "calibration", "influence")},
        "encoder": part_config(spec.inputs),
        **{part: None if getattr(spec, part).name == "none" else config[part] for part in ("matching", "term")},
        "balance": config["balance"] if spec.balance.trains else None,
        "training": [
            *(
                config["training"][key]
                for key in ("max_epochs", "patience", "lr", "weight_decay", "batch_size", *SHAPERS)
            ),
            *spec.training.key_of("student"),
        ],
        "seed": seed,
        "metric": spec.training.metric or view.observed.metric,
        "classes": view.observed.num_classes,
        **key_of_task(view.observed),
        "device": arithmetic(view.observed.y.device),
        "tables": tables,
        "code": code_digest(spec.installed),
    }
