"""Several phases of one student: what is kept, what is trained again, which epoch wins."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from graphkd import Training, students
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.methods import GLNN, Phase, SimMLP, Targets
from graphkd.methods.base import Method, Student
from graphkd.spec import resolve
from graphkd.testing.killed import KilledError, MortalCache, checkpoint_after_every_epoch
from graphkd.training.optimiser import Optimiser
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, train_student
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data

SHORT = Training(max_epochs=6, patience=20)


class Kept(StageCache):
    """A cache that keeps stages of methods which are not exported, too."""

    def without_files(self) -> StageCache:
        return self


@pytest.fixture
def view() -> SettingView:
    return apply_setting(Graph.from_data(make_data()))


class TwoPhases(GLNN):
    """First on soft targets, then on labels; both with dropout."""

    name = "two_phases"
    has_teacher = False

    def __init__(self, first_epochs: int = 5) -> None:
        super().__init__()
        self.first_epochs = first_epochs

    def phases(self) -> tuple[Phase, ...]:
        return Phase("warm", "warm_step", by_loss=True, max_epochs=self.first_epochs), Phase("final")

    def warm_step(self, student: Student, batch: Targets) -> dict[str, torch.Tensor]:
        loss = student(batch.inputs).logits.square().mean()
        return {"loss": loss}

    def training_step(self, student: Student, batch: Targets) -> dict[str, torch.Tensor]:
        loss = batch.label_loss(student(batch.inputs).logits)
        return {"loss": loss, "label": loss}


def trained(
    view: SettingView,
    method: Method,
    cache: StageCache | None = None,
    training: Training = SHORT,
    log: list[dict[str, Any]] | None = None,
    **student: Any,
) -> StudentResult:
    mlp = functools.partial(students.MLP, hidden_dim=6, **student)
    spec = resolve(student=mlp, method=method, training=training)
    return train_student(view, spec, train_teacher(view, spec, 0, []), 0, [] if log is None else log, cache)


def assert_same(one: StudentResult, two: StudentResult) -> None:
    states = one.task.state_dict(), two.task.state_dict()
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def stages(root: Path) -> list[str]:
    """Names of the kept stages of a student, as often as they are kept."""
    names = [file.name.rsplit("-", 1)[0] for file in (root / "stages").iterdir()]
    return sorted(name for name in names if name.startswith("student"))


class Counted(TwoPhases):
    """Keeps on the class how often which phase was stepped."""

    steps: dict[str, int] = {}  # noqa: RUF012

    def warm_step(self, student: Student, batch: Targets) -> dict[str, torch.Tensor]:
        self.steps["warm"] = self.steps.get("warm", 0) + 1
        return super().warm_step(student, batch)

    def training_step(self, student: Student, batch: Targets) -> dict[str, torch.Tensor]:
        self.steps["final"] = self.steps.get("final", 0) + 1
        return super().training_step(student, batch)


def test_an_earlier_phase_is_kept_under_its_name_and_not_trained_again_when_only_the_later_changes(
    view: SettingView, tmp_path: Path
) -> None:
    Counted.steps.clear()
    trained(view, Counted(), Kept(tmp_path))
    assert Counted.steps == {"warm": 5, "final": 6}
    assert stages(tmp_path) == ["student", "student-warm"]
    longer = trained(view, Counted(), Kept(tmp_path), replace(SHORT, max_epochs=9))
    assert Counted.steps == {"warm": 5, "final": 15}
    assert stages(tmp_path) == ["student", "student", "student-warm"]
    assert_same(longer, trained(view, Counted(), None, replace(SHORT, max_epochs=9)))


def test_an_earlier_phase_is_trained_again_when_it_changes(view: SettingView, tmp_path: Path) -> None:
    Counted.steps.clear()
    for method, training in (
        (Counted(), SHORT),
        (Counted(first_epochs=4), SHORT),
        (Counted(), replace(SHORT, lr=0.5)),
    ):
        trained(view, method, Kept(tmp_path), training)
    assert Counted.steps == {"warm": 14, "final": 18}


def test_a_schedule_runs_over_the_epochs_of_each_phase(view: SettingView, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    factor = Optimiser.factor
    monkeypatch.setattr(Optimiser, "factor", lambda self, *at: asked.append(at) or factor(self, *at))
    training = replace(SHORT, schedule="linear", teacher_warmup=5)
    trained(view, TwoPhases(), training=training)
    assert asked == [*((epoch, 5) for epoch in range(5)), *((epoch, 6) for epoch in range(6))]


def test_a_finished_student_is_found_with_the_log_of_all_its_phases(view: SettingView, tmp_path: Path) -> None:
    Counted.steps.clear()
    logs: list[list[dict[str, Any]]] = [[], []]
    one, two = (trained(view, Counted(), Kept(tmp_path), log=log) for log in logs)
    assert Counted.steps == {"warm": 5, "final": 6}
    assert_same(one, two)
    assert one.fit == two.fit
    assert logs[0] == logs[1]
    assert [row["stage"] for row in logs[0]] == ["student-warm"] * 5 + ["student"] * 6


@pytest.mark.parametrize("life", [1, 4, 5, 6, 8])
def test_killed_in_or_between_its_phases_it_ends_with_the_same_bits(
    view: SettingView, tmp_path: Path, life: int
) -> None:
    """With dropout in the later phase, whose draws must not depend on whether the earlier one was found."""
    whole = trained(view, TwoPhases(), dropout=0.5)
    with checkpoint_after_every_epoch():
        with pytest.raises(KilledError):
            trained(view, TwoPhases(), MortalCache(tmp_path, life), dropout=0.5)
        torch.rand(3)
        assert_same(whole, trained(view, TwoPhases(), Kept(tmp_path), dropout=0.5))


class Scripted(TwoPhases):
    """A first phase whose losses are written down; its own parameter counts the steps."""

    losses = (4.0, 1.0, 3.0, 0.5, 2.0, 0.75)

    def build(self, make: Any, targets: Targets, teacher: Any) -> torch.nn.Module:
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        return super().build(make, targets, teacher)

    def warm_step(self, student: Student, batch: Targets) -> dict[str, torch.Tensor]:
        loss = 0 * student(batch.inputs).logits.sum() + self.losses[int(self.steps)]
        self.steps += 1
        return {"loss": loss}

    def training_step(self, student: Student, batch: Targets) -> dict[str, torch.Tensor]:
        return super().training_step(student, batch)


def test_by_loss_keeps_the_epoch_of_the_smallest_loss(view: SettingView) -> None:
    result = trained(view, Scripted(first_epochs=6))
    assert int(result.task.method.steps) == 4  # after the fourth epoch, of loss 0.5
    log: list[dict[str, Any]] = []
    trained(view, Scripted(first_epochs=6), log=log)
    assert [row["loss"] for row in log[:6]] == list(Scripted.losses)
    assert [row["val"] for row in log[:6]] == [-loss for loss in Scripted.losses]


def test_by_loss_takes_the_mean_over_the_batches_of_an_epoch(view: SettingView) -> None:
    """Sixty rows in batches of 20: two epochs of means 8/3 and 3.25/3."""
    training = replace(SHORT, batch_size=20)
    log: list[dict[str, Any]] = []
    result = trained(view, Scripted(first_epochs=2), training=training, log=log)
    assert [row["val"] for row in log[:2]] == pytest.approx([-8 / 3, -3.25 / 3])
    assert int(result.task.method.steps) == 6


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_probe_leaves_the_encoder_to_the_bit(view: SettingView, norm: str) -> None:
    """Weights, and statistics of norms, decay or not: they are those that the first phase ended with."""
    training = replace(SHORT, weight_decay=0.1)
    one, two = (
        trained(view, SimMLP(pretrain_epochs=5), training=replace(training, max_epochs=epochs), norm=norm)
        for epochs in (1, 12)
    )
    states = one.model.state_dict(), two.model.state_dict()
    moved = {name for name in states[0] if not torch.equal(states[0][name], states[1][name])}
    assert moved == {"layers.1.weight", "layers.1.bias"}
