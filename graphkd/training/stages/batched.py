"""Students of one shape, of several seeds or settings, trained as one batched model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.datasets import SettingView
from graphkd.methods import Epoch, Targets
from graphkd.methods.base import stackable, trains_one_mlp
from graphkd.methods.stacked import stacked
from graphkd.sparse import Inputs
from graphkd.spec import DistillSpec, settings_of, unwrapped
from graphkd.students import MLP
from graphkd.students.stacked import StackedMLP, apart
from graphkd.training.device.cuda_streams import CudaStreams
from graphkd.training.fit.batches import Batches
from graphkd.training.fit.loop import fit
from graphkd.training.fit.task import DistillationTask
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.fit.train_state import Log
from graphkd.training.scoring.validation_metric import ValidationMetric, stacked_scores, with_equal_ones_shared
from graphkd.training.seeds import seeded
from graphkd.training.stages.stage_cache import StageCache, StageResult
from graphkd.training.stages.student import logits_of, start_task, student_key
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import TeacherResult
from graphkd.training.stages.transform import transformed


@dataclass(frozen=True)
class BatchedJob:
    """One student to train.

    Args:
        view: the setting's view of the graph.
        spec: names method, terms, influence, student and training.
        teacher_result: the student's teacher.
        seed: as in ``train_student``.
    """

    view: SettingView
    spec: DistillSpec
    teacher_result: TeacherResult
    seed: int


def train_batched(members: Sequence[BatchedJob], cache: StageCache) -> int:
    """Trains students as batched models and saves each where ``train_student`` finds it.

    Each is the student that it would be alone, up to the order of sums: same initialisation, same dropout masks,
    separate learning rates, weights and early stopping. Those that cannot be batched with another (other shape,
    method, optimiser or patience, ``batch_size``, ``compile``) are left to ``train_student``; so are those already
    cached.

    Args:
        members: of any mix of shapes.
        cache: where the students are saved.

    Returns:
        The number of students trained.
    """
    groups: dict[Any, list[_ReadyJob]] = {}
    for member in members:
        key = student_key(member.view, member.spec, member.teacher_result, member.seed, cache.tables.dtype)
        if _batched(member.spec) and cache.load("student", key) is None:
            job = _ReadyJob.of(member, key, cache)
            groups.setdefault(job.shape, []).append(job)
    several = [jobs for jobs in groups.values() if len(jobs) > 1]
    for jobs in several:
        for job, stage_result in zip(jobs, _train(jobs), strict=True):
            cache.save("student", job.key, stage_result)
    return sum(map(len, several))


@dataclass(frozen=True)
class _ReadyJob:
    """A member that is ready to train."""

    member: BatchedJob
    key: dict[str, Any]
    task: DistillationTask
    generator: torch.Generator
    rows: Targets
    inputs: Inputs

    @classmethod
    def of(cls, member: BatchedJob, key: dict[str, Any], cache: StageCache) -> _ReadyJob:
        """Compiles the targets and initialises the task."""
        graph, spec, seed = member.view.observed, member.spec, member.seed
        teacher_result = transformed(member.view, spec, member.teacher_result, seed, cache)
        targets = compile_targets(member.view, spec, teacher_result, seed, cache)
        device = graph.y.device
        with seeded(seed, "student", device):
            task = start_task(graph, spec, targets, seed, teacher_result.answering)
            generator = torch.Generator()
            generator.set_state(torch.get_rng_state())
        rows = Batches(task.training_rows(targets), None, seed, device).targets
        return cls(member, key, task, generator, rows, targets.inputs)

    @property
    def shape(self) -> tuple[Any, ...]:
        """The key by which members are grouped: those with the same one train together."""
        spec, student = self.member.spec, settings_of(self.member.spec.student)
        return (
            self.rows.num_rows,
            self.rows.inputs.shape[1],
            type(self.rows.inputs),
            self.member.view.observed.num_classes,
            *(student[name] for name in ("hidden_dim", "num_layers", "norm")),
            spec.method.name,
            spec.matching.name,
            spec.term.name,
            spec.training.max_epochs,
            spec.training.patience,
            spec.training.precision,
            spec.training.optimiser,
        )


def _batched(spec: DistillSpec) -> bool:
    training = spec.training
    whole = training.batch_size is None and not training.compile
    plain = spec.calibration.name == "none" and trains_one_mlp(spec.method)
    return training.together and whole and plain and unwrapped(spec.student) is MLP


def _train(jobs: Sequence[_ReadyJob]) -> list[StageResult]:
    """Trains the members and returns their weights and records, as ``train_student`` saves them."""
    task = _BatchedTask(jobs)
    training, logs = jobs[0].member.spec.training, [Log() for _ in jobs]
    fits = fit("student", task.train_spec, training, logs)
    return [
        StageResult(
            {name: tensor.clone() for name, tensor in job.task.state_dict().items()},
            {"log": log, "fit": asdict(summary)},
        )
        for job, log, summary in zip(jobs, logs, fits, strict=True)
    ]


class _BatchedTask:
    """The members that have not stopped yet, as the loop trains them."""

    def __init__(self, jobs: Sequence[_ReadyJob]) -> None:
        self.jobs = _sharing(jobs)
        self.tasks = [job.task for job in self.jobs]
        self.device = self.jobs[0].rows.labels.device
        self.streams = CudaStreams(len(self.jobs), self.device)
        self.scores = [
            ValidationMetric.of(
                job.task.student, job.inputs, job.member.view.observed, job.member.spec.training.metric
            )
            for job in self.jobs
        ]
        self.narrow(list(range(len(self.jobs))))

    @property
    def train_spec(self) -> TrainSpec:
        """The input of the training loop, with all members."""
        trainings = [job.member.spec.training for job in self.jobs]
        pairs = zip(self.tasks, trainings, strict=True)
        return TrainSpec(
            nn.ModuleList(self.tasks),
            lambda member: self.tasks[member].state_dict(),
            [task.parameter_groups(training.lr) for task, training in pairs],
            [training.weight_decay for training in trainings],
            self.steps,
            self.score,
            replays=all(task.is_static for task in self.tasks),
            narrow=self.narrow,
            tables=lambda: self.stacked.state(prefix="student."),
            optimiser=trainings[0].optimiser,
        )

    def narrow(self, running: list[int]) -> None:
        """Continues with these members only, and rebuilds what one call computes for all of them."""
        self.running, self.place = running, torch.tensor(running, device=self.device)
        jobs, scores = [self.jobs[k] for k in running], [self.scores[k] for k in running]
        self.stacked = StackedMLP([job.task.student for job in jobs], [job.generator for job in jobs])  # type: ignore[misc]
        self.rows = [job.rows for job in jobs]
        alike = stackable([job.task.method for job in jobs], self.rows)
        added = any(len(job.task.terms) for job in jobs)
        self.targets = stacked(self.rows) if alike and not added else None
        self.scored = stacked_scores(scores)

    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yields one step, for all rows of every member."""
        first = self.tasks[self.running[0]]
        with first.autocast(self.device):
            output = self.stacked([each.inputs for each in self.rows])
        if self.targets is not None:
            terms = first.method.loss(first.single(output), self.targets)
            yield {name: self._all(term) for name, term in terms.items()}
            return
        each = []
        for k, prediction, batch in zip(self.running, apart(output), self.rows, strict=True):
            self.tasks[k].on_epoch_start(self.epoch(k, epoch, batch), batch)
            with self.streams.stream(k):
                each.append(self.tasks[k].loss(prediction, batch))
        self.streams.join()
        yield {name: self._all(torch.stack([terms[name] for terms in each])) for name in each[0]}

    def epoch(self, member: int, number: int, rows: Targets) -> Epoch:
        """Returns an epoch of a member, which reads that member's logits."""
        member_job = self.jobs[member].member
        total = member_job.spec.training.max_epochs
        return Epoch(number, total, member_job.seed, self.device, logits_of(self.tasks[member], rows))

    def score(self) -> Tensor:
        """Computes the validation scores, ``[S]``."""
        if self.scored is not None:
            return self._all(self.scored(self.stacked))
        scores = []
        for k in self.running:
            with self.streams.stream(k):
                scores.append(self.scores[k]())
        self.streams.join()
        return self._all(torch.stack(scores))

    def _all(self, running: Tensor) -> Tensor:
        """Expands to ``[S]``, with 0 for members that have stopped."""
        if len(self.running) == len(self.jobs):
            return running
        return running.new_zeros(len(self.jobs)).index_copy(0, self.place, running)


def _sharing(jobs: Sequence[_ReadyJob]) -> list[_ReadyJob]:
    """Returns the jobs with equal inputs shared."""
    rows = with_equal_ones_shared([job.rows.inputs for job in jobs])
    inputs = with_equal_ones_shared([job.inputs for job in jobs])
    return [
        replace(job, rows=replace(job.rows, inputs=batch), inputs=whole)
        for job, batch, whole in zip(jobs, rows, inputs, strict=True)
    ]
