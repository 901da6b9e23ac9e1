"""Every add-on and matching strategy runs with every method, or is refused in one line."""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from graphkd import GraphKDError, balance, calibration, matching, methods, teachers, terms, transforms
from graphkd.balance import LogitAdjustment
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.registry import catalogue
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec, resolve
from graphkd.students import MLP
from graphkd.testing.graphs import small_graph
from graphkd.testing.killed import killed_after
from graphkd.training.fit.loop import Log
from graphkd.training.settings import Training
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher
from tests.contract.core import EVERY, SHORT_TRANSFORMS, TAUGHT

ADD_ONS = [
    (group, name)
    for group, package in (
        ("transform", transforms),
        ("calibration", calibration),
        ("balance", balance),
        ("term", terms),
        ("matching", matching),
    )
    for name in catalogue(package)
    if name != "none"
]
ALIKE = [("calibration", name) for name in ("fixed", "cosine", "linear")]
"""Add-ons that reach a method in the same way as another."""
TIERED = [
    pytest.param(*add_on, marks=[pytest.mark.slow] * (add_on in ALIKE), id="-".join(add_on)) for add_on in ADD_ONS
]


def spec_of(method: str, batch_size: int | None = None, transform: str = "none", **parts: Any) -> DistillSpec:
    student = functools.partial(MLP, hidden_dim=6, num_layers=3)
    name = catalogue(methods)[method].needs_teacher or "sage"
    teacher = functools.partial(catalogue(teachers)[name], hidden_dim=6, num_layers=3)
    training = Training(max_epochs=3, patience=3, batch_size=batch_size)
    chosen = methods.SimMLP(pretrain_epochs=3) if method == "simmlp" else method
    transformed = SHORT_TRANSFORMS.get(transform, transform)
    return resolve(teacher, student, chosen, training=training, transform=transformed, **parts)


def unbalanced_graph() -> Graph:
    """A small graph with fewer training nodes of one class: equal shares would adjust no logits."""
    graph = small_graph()
    classes = graph.y[graph.train]
    rare = (classes == 0).nonzero().reshape(-1)[2:]
    return replace(graph, train=graph.train[~torch.isin(torch.arange(classes.numel()), rare)])


def outcome(method: str, **parts: Any) -> SeedRun | str:
    """A run, or the line that refuses it."""
    try:
        return SeedRun.train(unbalanced_graph(), spec_of(method, **parts), 0)
    except GraphKDError as error:
        return str(error)


@functools.cache
def plain_run(method: str) -> SeedRun:
    """The run without an add-on, once for all of them."""
    run = outcome(method)
    assert isinstance(run, SeedRun)
    return run


@pytest.mark.parametrize(("group", "name"), TIERED)
@pytest.mark.parametrize("method", EVERY)
def test_it_runs_with_the_method_and_changes_it_or_is_refused_in_one_line(
    method: str, group: str, name: str
) -> None:
    run = outcome(method, **{group: name})
    if isinstance(run, str):
        assert "\n" not in run
        assert not catalogue(methods)[method].has_teacher or f"{group}={name}" in run
        return
    states = run.distilled.model.state_dict(), plain_run(method).distilled.model.state_dict()
    assert all(tensor.isfinite().all() for tensor in states[0].values())
    assert any(not torch.equal(states[0][key], states[1][key]) for key in states[0])


BALANCES: dict[str, Callable[[], Any]] = {
    **{name: part for name, part in catalogue(balance).items() if name != "none"},
    "post_hoc": lambda: LogitAdjustment(post_hoc=True),
    "by_teacher": lambda: LogitAdjustment(prior="teacher"),
}

SOME_BALANCES = [
    name if name in ("effective_number", "ltkd", "post_hoc") else pytest.param(name, marks=pytest.mark.slow)
    for name in BALANCES
]
"""One of each kind in the default tier."""


@pytest.mark.parametrize("name", BALANCES)
@pytest.mark.parametrize("method", [pytest.param(name, marks=pytest.mark.slow) for name in catalogue(methods)])
def test_a_balance_that_is_killed_and_resumed_ends_with_the_same_bits(
    method: str, name: str, tmp_path: Path
) -> None:
    parts = {"batch_size": None if method == "simmlp" else 16, "balance": BALANCES[name]()}
    whole = outcome(method, **parts)
    if isinstance(whole, str):
        assert "\n" not in whole
        return

    def run(cache: StageCache) -> SeedRun:
        return SeedRun.train(unbalanced_graph(), spec_of(method, **parts), 0, cache=cache)

    resumed = killed_after(run, tmp_path, 2)
    states = whole.distilled.model.state_dict(), resumed.distilled.model.state_dict()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert whole.distilled.scores == resumed.distilled.scores


@pytest.mark.parametrize("name", SOME_BALANCES)
def test_students_that_train_together_are_balanced_each_by_its_own_classes(name: str, tmp_path: Path) -> None:
    spec = spec_of("infgrand", balance=BALANCES[name]())
    together = replace(spec, training=replace(spec.training, together=True))
    jobs, cache = [], StageCache(tmp_path)
    for seed, graph in enumerate((unbalanced_graph(), small_graph())):
        view = apply_setting(graph, spec.setting, seed)
        jobs.append(BatchedJob(view, together, train_teacher(view, together, seed, Log()), seed))
    assert train_batched(jobs, cache) == 2
    for job in jobs:
        parts = job.view, job.spec, job.teacher_result, job.seed
        one, other = (train_student(*parts, Log(), where).model.state_dict() for where in (cache, None))
        for key in one:
            torch.testing.assert_close(one[key], other[key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", SOME_BALANCES)
def test_a_balance_composes_with_a_calibration_that_moves_a_transform_a_matching_and_batches(name: str) -> None:
    for method in ("infgrand", "krd"):
        parts = {"transform": "propagate", "calibration": "ctkd", "matching": "forward"}
        spec = spec_of(method, batch_size=16, balance=BALANCES[name](), **parts)
        run = SeedRun.train(unbalanced_graph(), spec, 0)
        assert all(tensor.isfinite().all() for tensor in run.distilled.model.state_dict().values())


@pytest.mark.parametrize(("group", "name"), [each for each in TIERED if each.values[0] == "calibration"])
def test_a_calibration_composes_with_a_transform_a_matching_and_batches(group: str, name: str) -> None:
    for method in ("glnn",) if name == "dtkd" else ("infgrand", "krd"):
        spec = spec_of(method, batch_size=16, transform="propagate", matching="forward", **{group: name})
        run = SeedRun.train(small_graph(), spec, 0)
        assert all(tensor.isfinite().all() for tensor in run.distilled.model.state_dict().values())


@pytest.mark.parametrize("strategy", [name for group, name in ADD_ONS if group == "matching"])
@pytest.mark.parametrize("term", [name for group, name in ADD_ONS if group == "term"])
def test_a_term_composes_with_a_matching_strategy(term: str, strategy: str) -> None:
    run = SeedRun.train(small_graph(), spec_of("glnn", matching=strategy, term=term), 0)
    record = run.log[-1]
    expected = (
        record["method"] + run.spec.matching.weight * record["matching"] + run.spec.term.weight * record[term]
    )
    assert record["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", [name for group, name in ADD_ONS if group == "transform"])
@pytest.mark.parametrize("method", TAUGHT)
def test_a_run_killed_after_its_transform_ends_with_the_same_bits(method: str, name: str, tmp_path: Path) -> None:
    graph, spec = small_graph(), spec_of(method, transform=name)
    for cache in (StageCache(tmp_path), StageCache(tmp_path)):
        resumed = SeedRun.train(graph, spec, 0, cache=cache).distilled
        for file in cache.files:
            if file.name.startswith("student"):
                file.unlink()
    whole = SeedRun.train(graph, spec, 0).distilled
    states = resumed.task.state_dict(), whole.task.state_dict()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[1])
    assert resumed.scores == whole.scores
