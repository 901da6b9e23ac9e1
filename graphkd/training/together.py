"""Students of one shape, of several seeds or settings, trained as one batched model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.datasets import Scene
from graphkd.methods import Targets
from graphkd.methods.base import stackable
from graphkd.methods.stacked import stacked
from graphkd.recipe import Recipe, settings_of, unwrapped
from graphkd.sparse import Inputs
from graphkd.students import MLP
from graphkd.students.stacked import StackedMLP, apart
from graphkd.training.artefacts import Artefact, Artefacts
from graphkd.training.batches import Batches
from graphkd.training.compile import compile_targets
from graphkd.training.lanes import Lanes
from graphkd.training.loop import fit
from graphkd.training.progress import Log
from graphkd.training.scored import Scored, stacked_scores, with_equal_ones_shared
from graphkd.training.seeds import seeded
from graphkd.training.student import start_task, student_key
from graphkd.training.task import Distillation
from graphkd.training.teach import TeacherResult
from graphkd.training.trainee import Trainee


@dataclass(frozen=True)
class Member:
    """One student to train.

    Args:
        scene: the graph as the setting shows it.
        recipe: names method, matching, influence, student and training.
        taught: its teacher.
        seed: as in ``train_student``.
    """

    scene: Scene
    recipe: Recipe
    taught: TeacherResult
    seed: int


def train_together(members: Sequence[Member], cache: Artefacts) -> int:
    """Trains students as batched models and keeps each where ``train_student`` finds it.

    Each is the student that it would be alone, up to the order of sums: same start, same masks of dropout, its own
    rates, weights and end. Those that cannot go with another (another shape, method or patience, ``batch_size``,
    ``compile``) are left to ``train_student``; so are those that are there already.

    Args:
        members: in any mixture.
        cache: where they are kept.

    Returns:
        How many were trained.
    """
    groups: dict[Any, list[_Seat]] = {}
    for member in members:
        key = student_key(member.scene, member.recipe, member.taught, member.seed, cache.tables.dtype)
        if _batched(member.recipe) and cache.load("student", key) is None:
            seat = _Seat.of(member, key, cache)
            groups.setdefault(seat.shape, []).append(seat)
    several = [seats for seats in groups.values() if len(seats) > 1]
    for seats in several:
        for seat, artefact in zip(seats, _train(seats), strict=True):
            cache.save("student", seat.key, artefact)
    return sum(map(len, several))


@dataclass(frozen=True)
class _Seat:
    """A member that is ready to train."""

    member: Member
    key: dict[str, Any]
    task: Distillation
    generator: torch.Generator
    rows: Targets
    inputs: Inputs

    @classmethod
    def of(cls, member: Member, key: dict[str, Any], cache: Artefacts) -> _Seat:
        """Compiled, and at its start."""
        graph, recipe, seed = member.scene.observed, member.recipe, member.seed
        targets = compile_targets(member.scene, recipe, member.taught, seed, cache)
        device = graph.y.device
        with seeded(seed, "student", device):
            task = start_task(graph, recipe, targets, seed)
            generator = torch.Generator()
            generator.set_state(torch.get_rng_state())
        rows = Batches(targets.without_idle_rows(), None, seed, device).targets
        return cls(member, key, task, generator, rows, targets.inputs)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Members in which this is the same train together."""
        recipe, student = self.member.recipe, settings_of(self.member.recipe.student)
        return (
            self.rows.num_rows,
            self.rows.inputs.shape[1],
            type(self.rows.inputs),
            self.member.scene.observed.num_classes,
            *(student[name] for name in ("hidden_dim", "num_layers", "norm")),
            recipe.method.name,
            recipe.matching.name,
            recipe.training.max_epochs,
            recipe.training.patience,
            recipe.training.precision,
        )


def _batched(recipe: Recipe) -> bool:
    training = recipe.training
    whole = training.batch_size is None and not training.compile
    return training.together and whole and unwrapped(recipe.student) is MLP


def _train(seats: Sequence[_Seat]) -> list[Artefact]:
    """The members' weights and records, each as ``train_student`` keeps them."""
    together = _Together(seats)
    training, logs = seats[0].member.recipe.training, [Log() for _ in seats]
    fits = fit("student", together.trainee, training, logs)
    return [
        Artefact(
            {name: tensor.clone() for name, tensor in seat.task.state_dict().items()},
            {"log": log, "fit": asdict(one)},
        )
        for seat, log, one in zip(seats, logs, fits, strict=True)
    ]


class _Together:
    """The members that are not over yet, as the loop trains them."""

    def __init__(self, seats: Sequence[_Seat]) -> None:
        self.seats = _sharing(seats)
        self.tasks = [seat.task for seat in self.seats]
        self.device = self.seats[0].rows.labels.device
        self.lanes = Lanes(len(self.seats), self.device)
        self.scores = [
            Scored.of(seat.task.student, seat.inputs, seat.member.scene.observed) for seat in self.seats
        ]
        self.narrow(list(range(len(self.seats))))

    @property
    def trainee(self) -> Trainee:
        """All of them, from the start."""
        trainings = [seat.member.recipe.training for seat in self.seats]
        each = zip(self.tasks, trainings, strict=True)
        return Trainee(
            nn.ModuleList(self.tasks),
            lambda member: self.tasks[member].state_dict(),
            [task.parameter_groups(training.lr) for task, training in each],
            [training.weight_decay for training in trainings],
            self.steps,
            self.score,
            replays=all(task.replays for task in self.tasks),
            narrow=self.narrow,
            tables=lambda: self.stacked.state(prefix="student."),
        )

    def narrow(self, running: list[int]) -> None:
        """Goes on with these members only; what one call can do for all of them is put together."""
        self.running, self.place = running, torch.tensor(running, device=self.device)
        seats, scores = [self.seats[k] for k in running], [self.scores[k] for k in running]
        self.stacked = StackedMLP([seat.task.student for seat in seats], [seat.generator for seat in seats])  # type: ignore[misc]
        self.rows = [seat.rows for seat in seats]
        alike = stackable([seat.task.method for seat in seats], self.rows)
        matched = any(seat.task.matching is not None for seat in seats)
        self.targets = stacked(self.rows) if alike and not matched else None
        self.scored = stacked_scores(scores)

    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """One, for all rows of every member."""
        first = self.tasks[self.running[0]]
        with first.autocast(self.device):
            output = self.stacked([each.inputs for each in self.rows])
        if self.targets is not None:
            terms = first.method(first.single(output), self.targets)
            yield {name: self._all(term) for name, term in terms.items()}
            return
        each = []
        for k, said, batch in zip(self.running, apart(output), self.rows, strict=True):
            self.tasks[k].start_epoch(epoch)
            with self.lanes.lane(k):
                each.append(self.tasks[k].loss(said, batch))
        self.lanes.join()
        yield {name: self._all(torch.stack([terms[name] for terms in each])) for name in each[0]}

    def score(self) -> Tensor:
        """``[S]``."""
        if self.scored is not None:
            return self._all(self.scored(self.stacked))
        scores = []
        for k in self.running:
            with self.lanes.lane(k):
                scores.append(self.scores[k]())
        self.lanes.join()
        return self._all(torch.stack(scores))

    def _all(self, running: Tensor) -> Tensor:
        """``[S]``; 0 for those that are over."""
        if len(self.running) == len(self.seats):
            return running
        return running.new_zeros(len(self.seats)).index_copy(0, self.place, running)


def _sharing(seats: Sequence[_Seat]) -> list[_Seat]:
    """The same, with inputs that are equal shared."""
    rows = with_equal_ones_shared([seat.rows.inputs for seat in seats])
    inputs = with_equal_ones_shared([seat.inputs for seat in seats])
    return [
        replace(seat, rows=replace(seat.rows, inputs=own), inputs=whole)
        for seat, own, whole in zip(seats, rows, inputs, strict=True)
    ]
