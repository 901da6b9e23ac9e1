import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from graphkd import Training, matching, methods, students, teachers
from graphkd.datasets import Graph
from graphkd.registry import catalogue
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec, resolve
from graphkd.testing.killed import KilledError, MortalCache, checkpoint_after_every_epoch
from graphkd.training.fit import checkpoint
from graphkd.training.fit.checkpoint import Checkpoint
from graphkd.training.fit.loop import Fit, fit
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.fit.train_state import TrainState
from graphkd.training.stages.stage_cache import StageCache, StageResult
from tests.conftest import make_data
from tests.tiers import some_of

SHORT = Training(max_epochs=5, patience=2)


@pytest.fixture(autouse=True)
def _after_every_epoch() -> Iterator[None]:
    with checkpoint_after_every_epoch():
        yield


def run(spec: DistillSpec, cache: StageCache | None, baseline: bool = False) -> SeedRun:
    return SeedRun.train(Graph.from_data(make_data()), spec, 1, baseline=baseline, cache=cache)


def killed_again_and_again(
    spec: DistillSpec, root: Path, life: int, baseline: bool = False
) -> tuple[SeedRun, int]:
    """The run of the same command that comes through at last, and all checkpoints on the way."""
    count = 0
    while True:
        cache = MortalCache(root, life)
        try:
            return run(spec, cache, baseline), count + cache.parts
        except KilledError:
            count += cache.parts
            torch.rand(3)  # another process has other generators


def assert_same(one: SeedRun, two: SeedRun) -> None:
    assert one.log == two.log
    assert one.teacher_result.scores == two.teacher_result.scores
    for first, second in ((one.teacher_result, two.teacher_result), (one.distilled, two.distilled)):
        assert first.scores == second.scores
        assert (first.fit.epochs, first.fit.best_epoch) == (second.fit.epochs, second.fit.best_epoch)
    for a, b in ((one.teacher_result.model, two.teacher_result.model), (one.distilled.task, two.distilled.task)):
        states = a.state_dict(), b.state_dict()
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def mlp(**keys: Any) -> functools.partial[students.MLP]:
    return functools.partial(students.MLP, num_layers=3, hidden_dim=6, **keys)


@pytest.mark.parametrize("life", [1, 2, 3])
def test_killed_again_and_again_it_ends_with_the_same_bits(life: int, tmp_path: Path) -> None:
    """Batch norm, dropout and batches, in teacher, student and plain student; no epoch is run twice."""
    gcn = functools.partial(teachers.GCN, num_layers=3, hidden_dim=8, norm="batch")
    training = Training(max_epochs=5, patience=2, batch_size=16)
    spec = resolve(gcn, mlp(norm="batch"), "infgrand", "random", training=training)
    whole = run(spec, None, baseline=True)
    cut, parts = killed_again_and_again(spec, tmp_path, life, baseline=True)
    assert_same(whole, cut)
    plain, other = whole.baselines, cut.baselines
    assert {name: each.scores for name, each in plain.items()} == {k: each.scores for k, each in other.items()}
    assert list(plain) == ["mlp", "mlp_same_inputs"]
    epochs = [each.fit.epochs for each in (whole.teacher_result, whole.distilled, *plain.values())]
    assert parts == sum(epochs) == len(whole.log)
    assert not list((tmp_path / "stages").glob("*part*"))


@pytest.mark.parametrize("strategy", some_of(catalogue(matching), 3))
def test_whatever_is_matched_goes_on_as_it_was(strategy: str, tmp_path: Path) -> None:
    chosen = catalogue(matching)[strategy]
    keys = {"redraw": True} if strategy == "random" else {}
    gcn = functools.partial(teachers.GCN, num_layers=3, hidden_dim=6)
    spec = resolve(gcn, mlp(), "glnn", chosen(**keys), training=SHORT)
    assert_same(run(spec, None), killed_again_and_again(spec, tmp_path, 3)[0])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name != "pyg"))
        for name in ("appnp", "gcnii", "graph_transformer", "pyg", "sgc")
    ],
)
def test_a_teacher_goes_on_as_it_was(name: str, tmp_path: Path) -> None:
    options = {"options": {"norm": "batch_norm"}} if name == "pyg" else {}
    teacher = functools.partial(catalogue(teachers)[name], **options)
    spec = resolve(teacher, mlp(), training=SHORT)
    assert_same(run(spec, None), killed_again_and_again(spec, tmp_path, 3)[0])


def test_weights_decay_after_a_restart_as_before_it(tmp_path: Path) -> None:
    spec = resolve(training=Training(max_epochs=30, patience=2, weight_decay=0.1, teacher_weight_decay=0.1))
    assert_same(run(spec, None), killed_again_and_again(spec, tmp_path, 7)[0])


@pytest.mark.parametrize("life", [1, 4])
def test_schedules_and_clipping_go_on_where_they_were(life: int, tmp_path: Path) -> None:
    """TINED has two rates; both stages are warmed up, decayed, clipped and smoothed."""
    of_each = {"optimizer": "adamw", "schedule": "cosine", "warmup": 2, "clip_norm": 0.1, "label_smoothing": 0.1}
    both = {**of_each, **{f"teacher_{name}": value for name, value in of_each.items()}}
    spec = resolve(
        functools.partial(teachers.GCN, hidden_dim=6),
        functools.partial(students.MLP, hidden_dim=6, num_layers=2),
        methods.TINED(lam=0.5),
        training=Training(max_epochs=7, patience=2, batch_size=16, **both),
    )
    assert_same(run(spec, None), killed_again_and_again(spec, tmp_path, life)[0])


def test_a_damaged_checkpoint_is_noticed_and_the_stage_starts_anew(tmp_path: Path) -> None:
    spec = resolve(training=SHORT)
    with pytest.raises(KilledError):
        run(spec, MortalCache(tmp_path, 3))
    (file,) = (tmp_path / "stages").glob("teacher-part-*")
    content = file.read_bytes()
    file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.warns(UserWarning, match=r"is damaged \(.*\): the teacher starts from the beginning"):
        again = run(spec, StageCache(tmp_path))
    assert_same(run(spec, None), again)
    assert not list((tmp_path / "stages").glob("*part*"))


def test_another_run_does_not_go_on_from_it(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        run(resolve(training=SHORT), MortalCache(tmp_path, 3))
    other = resolve(training=Training(max_epochs=5, patience=2, teacher_lr=0.1))
    assert_same(run(other, None), run(other, StageCache(tmp_path)))


def test_where_nothing_is_kept_nothing_is_written() -> None:
    cache = StageCache(None)
    cache.save_partial("teacher", {}, StageResult({"w": torch.ones(1)}, {}))
    assert cache.load_partial("teacher", {}) is None
    assert cache.files == []


def test_one_is_written_when_it_is_due_and_large_ones_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes two seconds here, so forty lie between one and the next."""
    clock, saved = [100.0], []

    class Slow(StageCache):
        def save_partial(self, stage: str, key: dict[str, Any], stage_result: StageResult) -> None:
            saved.append(clock[0])
            clock[0] += 2.0

    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 10.0)
    monkeypatch.setattr(checkpoint, "SHARE", 0.05)
    monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: clock[0])
    model = torch.nn.Linear(1, 1)
    part, optimizer = Checkpoint(Slow(None), "teacher", {}), torch.optim.Adam(model.parameters())
    while clock[0] < 200:
        clock[0] += 4.0
        part.save_when_due(model, optimizer, TrainState)
    assert saved == [112.0, 154.0, 196.0]


class Scripted(torch.nn.Module):
    """Its weight says how many epochs were run; the scores are written down beforehand."""

    def __init__(self, scores: list[float]) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.register_buffer("epochs", torch.tensor(0))
        self.scores = scores

    def steps(self, epoch: int) -> Iterator[dict[str, torch.Tensor]]:
        self.epochs += 1
        yield {"loss": (self.weight - 1).square().sum() if epoch else self.weight.sum() * 0 + 9}

    def score(self) -> torch.Tensor:
        return torch.tensor(self.scores[int(self.epochs) - 1], dtype=torch.float64)


@pytest.mark.parametrize("killed_after", [1, 3, 4, 5, 6])
@pytest.mark.parametrize("best", [1, 2, 3])
def test_the_weights_of_an_epoch_before_the_kill_can_still_be_the_best(
    killed_after: int, best: int, tmp_path: Path
) -> None:
    """No epoch after the kill is as good as the best one before it: only the checkpoint has its weights."""
    scores = [0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 0.1]
    scores[best] = 0.9

    def trained(cache: StageCache) -> tuple[Fit, Scripted]:
        model = Scripted(scores)
        groups = [{"params": list(model.parameters()), "lr": 0.1}]
        train_spec = TrainSpec(model, lambda _: model.state_dict(), [groups], [0.0], model.steps, model.score)
        training = Training(max_epochs=7, patience=6)
        return fit("teacher", train_spec, training, [[]], Checkpoint(cache, "teacher", {}))[0], model

    whole, model = trained(StageCache(None))
    with pytest.raises(KilledError):
        trained(MortalCache(tmp_path, killed_after))
    resumed, other = trained(StageCache(tmp_path))
    assert (resumed.epochs, resumed.best_epoch, int(other.epochs)) == (7, best, best + 1)
    assert (whole.epochs, whole.best_epoch) == (7, best)
    assert torch.equal(other.weight, model.weight)


def test_what_is_kept_comes_back_as_it_was_put(tmp_path: Path) -> None:
    """The best weights are neither the model's nor the optimiser's."""
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    kept = {name: torch.full_like(tensor, 7.0) for name, tensor in model.state_dict().items()}
    progress = TrainState(5, 2.0, True, 0.9, 3, 1.5, [{"stage": "teacher", "epoch": 0, "loss": 1.0}], kept)
    Checkpoint(StageCache(tmp_path), "teacher", {}).save_when_due(model, optimizer, lambda: progress)
    other = torch.nn.Linear(2, 1)
    again = torch.optim.Adam(other.parameters(), lr=0.1)
    found = Checkpoint(StageCache(tmp_path), "teacher", {}).restore(other, again)
    assert {**vars(found), "kept": 0} == {**vars(progress), "kept": 0}
    assert found.kept.keys() == kept.keys()
    assert all(bool((tensor == 7.0).all()) for tensor in found.kept.values())
    assert torch.equal(other.weight, model.weight)
    states = (each.state_dict()["state"].values() for each in (again, optimizer))
    for one, two in zip(*states, strict=True):
        assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("way", ["checkpointed", "neighbours", "partitions"])
def test_a_teacher_in_batches_draws_what_it_would_have_drawn(way: str, tmp_path: Path) -> None:
    keys = {"teacher_batch_size": 7, "fanout": 2, "parts": 4, "parts_per_step": 2}
    spec = resolve("sage", "mlp", "glnn", training=replace(SHORT, teacher_batches=way, **keys))
    resumed, count = killed_again_and_again(spec, tmp_path, 1)
    assert count > 3
    assert_same(run(spec, None), resumed)
