"""What a CUDA graph repeats, repeated here without one: the loop must not ask the device in between."""

import gc
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.spec import resolve
from graphkd.teachers import TeacherOutput
from graphkd.training.device import cuda_graph
from graphkd.training.fit import loop
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, train_student
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data


class Repeated:
    """Calls the epoch again, as a graph would repeat what it did; counts how often it was made."""

    made, run = 0, 0

    def __init__(self, epoch: Callable[[], None], draws: int, device: torch.device) -> None:
        self.epoch = epoch
        type(self).made += 1

    def __call__(self, times: int) -> None:
        type(self).run += times
        for _ in range(times):
            self.epoch()


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "can_capture", lambda device: True)
    monkeypatch.setattr(loop, "CudaGraph", Repeated)
    monkeypatch.setattr(Repeated, "made", 0)


def train(training: Training, cache: StageCache | None = None) -> tuple[StudentResult, list]:
    spec = resolve(matching="forward", method="infgrand", training=training)
    view, log = apply_setting(Graph.from_data(make_data()), "transductive", 0), []
    return train_student(view, spec, train_teacher(view, spec, 0, []), 0, log, cache), log


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_warm_up_and_clipping_are_repeated_and_moving_rates_are_not(
    schedule: str, replayed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(24, 30, schedule=schedule, warmup=4, clip_norm=0.05, optimizer="adamw")
    there, log = train(training)
    monkeypatch.setattr(loop, "can_capture", lambda device: False)
    made = Repeated.made
    here, expected = train(training)
    assert log == expected
    for name, tensor in here.task.state_dict().items():
        assert torch.equal(there.task.state_dict()[name], tensor)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "can_capture", lambda device: True)
        patch.setattr(Repeated, "made", 0)
        student_alone(training)
        assert (Repeated.made > 0) == (schedule == "constant")
    assert made > 0  # the teacher's rates are constant


def student_alone(training: Training) -> None:
    """A student whose teacher is given."""
    graph = Graph.from_data(make_data())
    spec = resolve(TeacherOutput(torch.zeros(60, 3)), method="infgrand", training=training)
    view = apply_setting(graph)
    train_student(view, spec, train_teacher(view, spec, 0, []), 0, [])


@pytest.mark.slow
@pytest.mark.parametrize("training", [Training(70, 100), Training(200, 5), Training(41, 50), Training(2, 50)])
def test_looking_every_few_epochs_changes_nothing(
    training: Training, replayed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, log = train(training)
    assert bool(Repeated.made) == (training.max_epochs > 2)
    monkeypatch.setattr(loop, "can_capture", lambda device: False)
    here, own = train(training)
    assert log == own
    assert (there.fit.epochs, there.fit.best_epoch, there.scores) == (
        here.fit.epochs,
        here.fit.best_epoch,
        here.scores,
    )
    for name, tensor in here.task.state_dict().items():
        assert torch.equal(there.task.state_dict()[name], tensor)


@pytest.mark.parametrize("training", [Training(200, 5), Training(200, 23), Training(33, 100)])
def test_no_epoch_is_run_after_the_end(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = resolve(method="infgrand", training=training)
    view = apply_setting(Graph.from_data(make_data()), "transductive", 0)
    teacher_result = train_teacher(view, spec, 0, [])
    monkeypatch.setattr(loop, "can_capture", lambda device: True)
    monkeypatch.setattr(loop, "CudaGraph", Repeated)
    monkeypatch.setattr(Repeated, "run", 0)
    assert train_student(view, spec, teacher_result, 0, []).fit.epochs == loop.EAGER_EPOCHS + Repeated.run


@pytest.mark.slow
def test_members_that_are_over_are_left_out_of_the_next_graph(
    replayed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = resolve(training=Training(300, 4, together=True))
    found = []
    for seed in range(4):
        view = apply_setting(Graph.from_data(make_data()), "transductive", seed)
        found.append(BatchedJob(view, spec, train_teacher(view, spec, seed, []), seed))
    cache = StageCache(tmp_path)
    Repeated.made = 0
    train_batched(found, cache)
    assert Repeated.made > 1
    alone = replace(spec, training=replace(spec.training, together=False))
    for member in found:
        parts = member.view, member.spec, member.teacher_result, member.seed
        together = train_student(*parts, [], cache)
        other = train_student(member.view, alone, member.teacher_result, member.seed, [])
        assert (together.fit.epochs, together.fit.best_epoch) == (other.fit.epochs, other.fit.best_epoch)


def test_a_loss_that_is_not_finite_is_told_with_its_epoch(replayed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkd.training.fit.task import DistillationTask

    forward, calls = DistillationTask.forward, []

    def broken(self, batch):
        calls.append(0)
        terms = forward(self, batch)
        return {name: term * (float("nan") if len(calls) == 12 else 1) for name, term in terms.items()}

    monkeypatch.setattr(DistillationTask, "forward", broken)
    with pytest.raises(GraphKDError, match="the student's loss is nan in epoch 11: lower its learning rate"):
        train(Training(100, 200))


def test_a_graph_keeps_what_its_epoch_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows addresses only: a table that was given back would be read all the same."""
    monkeypatch.setattr(torch.cuda, "CUDAGraph", SimpleNamespace)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    place = torch.arange(3)
    known = weakref.ref(place)
    kept = cuda_graph.CudaGraph(place.sum, 0, torch.device("cpu"))
    del place
    gc.collect()
    assert known() is not None
    del kept
    gc.collect()
    assert known() is None


def test_no_garbage_is_collected_while_a_graph_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier graph in a cycle of references could be given back then, and the record would be lost."""
    monkeypatch.setattr(torch.cuda, "CUDAGraph", SimpleNamespace)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    seen: list[bool] = []
    cuda_graph.CudaGraph(lambda: seen.append(gc.isenabled()), 0, torch.device("cpu"))
    assert (seen, gc.isenabled()) == ([False], True)

    def fails() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cuda_graph.CudaGraph(fails, 0, torch.device("cpu"))
    assert gc.isenabled()


def test_the_graph_is_given_back_when_the_stage_is_over(replayed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[weakref.ref[Repeated]] = []
    monkeypatch.setattr(
        loop, "CudaGraph", lambda *parts: (made := Repeated(*parts), kept.append(weakref.ref(made)))[0]
    )
    gc.collect()
    gc.disable()
    try:
        train(Training(70, 100))
        assert [known() for known in kept] == [None] * len(kept)
        assert kept
    finally:
        gc.enable()
