"""Members of a batched model are the students that they would be alone."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from graphkd import Training, matching, methods, students
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.registry import catalogue
from graphkd.spec import DistillSpec, resolve
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, train_student
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data
from tests.tiers import some_of

TRAINING = Training(max_epochs=12, patience=4, together=True)


def mlp(**keys: Any) -> functools.partial[students.MLP]:
    return functools.partial(students.MLP, **{"num_layers": 3, "hidden_dim": 6, **keys})


def members(specs: list[DistillSpec], seeds: list[int], sparse: bool = False) -> list[BatchedJob]:
    found = []
    for seed in seeds:
        data = make_data()
        if sparse:
            data.x = (data.x * (data.x > 0.5)).to_sparse_csr()
        view = apply_setting(Graph.from_data(data), specs[0].setting, seed)
        teacher_result = train_teacher(view, specs[0], seed, [])
        found += [BatchedJob(view, spec, teacher_result, seed) for spec in specs]
    return found


def both(found: list[BatchedJob], root: Path) -> list[tuple[StudentResult, list[dict[str, Any]], Any, Any]]:
    """Each member's result and log, from the batched model and on its own."""
    cache = StageCache(root)
    assert train_batched(found, cache) == len(found)
    made, pairs = list(cache.made), []
    for member in found:
        logs: list[list[dict[str, Any]]] = [[], []]
        parts = member.view, member.spec, member.teacher_result, member.seed
        together = train_student(*parts, logs[0], cache)
        alone = train_student(*parts, logs[1], StageCache(None))
        pairs.append((together, logs[0], alone, logs[1]))
    assert cache.made == made  # every one was found
    return pairs


def numbers(row: dict[str, Any]) -> dict[str, float]:
    return {name: entry for name, entry in row.items() if name != "stage"}


def assert_equal(found: list[BatchedJob], root: Path) -> None:
    for together, log, alone, own in both(found, root):
        assert (together.fit.epochs, together.fit.best_epoch) == (alone.fit.epochs, alone.fit.best_epoch)
        assert [row["stage"] for row in log] == ["student"] * len(own)
        for row, other in zip(log, own, strict=True):
            assert numbers(row) == pytest.approx(numbers(other), rel=1e-4, abs=1e-5)
        assert together.scores == pytest.approx(alone.scores)
        for name, tensor in alone.task.state_dict().items():
            torch.testing.assert_close(together.task.state_dict()[name], tensor, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "method", some_of([methods.MLP(), methods.GLNN(), methods.InfGraND(hops=1), methods.InfGraND()], 2)
)
@pytest.mark.parametrize("sparse", [False, True])
def test_seeds_of_a_method(method: Any, sparse: bool, tmp_path: Path) -> None:
    spec = resolve(method=method, student=mlp(), training=TRAINING)
    assert_equal(members([spec], [0, 1, 2], sparse), tmp_path)


@pytest.mark.parametrize("strategy", some_of(catalogue(matching).values(), 3))
def test_seeds_of_a_strategy(strategy: Any, tmp_path: Path) -> None:
    spec = resolve(matching=strategy(), student=mlp(), training=TRAINING)
    assert_equal(members([spec], [3, 4]), tmp_path)


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("setting", ["inductive", "production"])
def test_settings_in_which_inputs_differ_and_norms(norm: str, setting: str, tmp_path: Path) -> None:
    spec = resolve(setting=setting, method="infgrand", student=mlp(norm=norm), training=TRAINING)
    assert_equal(members([spec], [0, 5]), tmp_path)


def test_a_grid_of_rates_dropouts_and_weights(tmp_path: Path) -> None:
    base = resolve(method=methods.InfGraND(), student=mlp(), training=TRAINING)
    specs = [
        base,
        replace(base, training=replace(TRAINING, lr=0.05, weight_decay=0.1)),
        replace(base, student=mlp(dropout=0.0)),
        replace(base, student=mlp(dropout=0.7)),
        base.with_method(methods.InfGraND(lam=0.9, gamma2=0.0)),
    ]
    found = members(specs, [0, 1])
    assert_equal(found, tmp_path)


def test_every_member_is_clipped_alone_and_follows_the_schedule(tmp_path: Path) -> None:
    training = replace(TRAINING, schedule="cosine", warmup=2, clip_norm=0.02, optimizer="adamw")
    base = resolve(method=methods.GLNN(lam=0.5), student=mlp(), training=training)
    specs = [base, replace(base, training=replace(training, label_smoothing=0.3, lr=0.03))]
    assert_equal(members(specs, [0, 1]), tmp_path)


@pytest.mark.slow
def test_members_end_at_epochs_of_their_own(tmp_path: Path) -> None:
    training = Training(max_epochs=60, patience=3, together=True)
    spec = resolve(student=mlp(), training=training)
    pairs = both(members([spec], [0, 1, 2, 3, 4]), tmp_path)
    ends = [together.fit.epochs for together, *_ in pairs]
    assert ends == [alone.fit.epochs for _, _, alone, _ in pairs]
    assert len(set(ends)) > 1


def test_what_cannot_go_with_another_is_left_alone(tmp_path: Path) -> None:
    base = resolve(student=mlp(), training=TRAINING)
    others = [
        replace(base, training=replace(TRAINING, together=False)),
        replace(base, training=replace(TRAINING, batch_size=8)),
        replace(base, student=mlp(hidden_dim=7)),
        base.with_method(methods.MLP()),
    ]
    cache = StageCache(tmp_path)
    assert train_batched(members([base, *others], [0]), cache) == 0
    assert cache.made == []


def test_nothing_is_trained_twice(tmp_path: Path) -> None:
    found, cache = members([resolve(student=mlp(), training=TRAINING)], [0, 1]), StageCache(tmp_path)
    assert train_batched(found, cache) == 2
    assert train_batched(found, cache) == 0


class Calls(TorchDispatchMode):
    """Counts calls that compute something."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not (
            func.is_view or func.overloadpacket.__name__.startswith(("empty", "new_empty", "_local"))
        )
        return func(*args, **(kwargs or {}))


def calls_of_an_epoch(count: int, spec: DistillSpec, root: Path) -> int:
    found = []
    for epochs in (5, 6):
        longer = replace(spec, training=replace(TRAINING, max_epochs=epochs, patience=100))
        those = members([longer], list(range(count)))
        with Calls() as calls:
            train_batched(those, StageCache(root / f"{count}-{epochs}"))
        found.append(calls.count)
    return found[1] - found[0]


def test_an_epoch_of_more_members_is_hardly_more_calls(tmp_path: Path) -> None:
    """On a GPU that is what an epoch of small students costs. Left per member: dropout, and Adam's two calls."""
    spec = resolve(method="glnn", student=mlp(num_layers=2), training=TRAINING)
    two, six = (calls_of_an_epoch(count, spec, tmp_path) for count in (2, 6))
    assert two > 50
    assert six - two <= 4 * 9


def test_together_and_alone_are_kept_apart(tmp_path: Path) -> None:
    """They differ in rounding, and a command must always give the same bits."""
    spec, cache = resolve(student=mlp(), training=TRAINING), StageCache(tmp_path)
    found = members([spec], [0, 1])
    train_batched(found, cache)
    alone = replace(spec, training=replace(TRAINING, together=False))
    train_student(found[0].view, alone, found[0].teacher_result, 0, [], cache)
    assert cache.made == ["student"] * 3


@pytest.mark.parametrize("metric", ["macro_f1", "balanced_accuracy"])
def test_seeds_that_select_on_another_metric(metric: str, tmp_path: Path) -> None:
    spec = resolve(method="glnn", student=mlp(), training=replace(TRAINING, metric=metric))
    assert_equal(members([spec], [0, 1]), tmp_path)
