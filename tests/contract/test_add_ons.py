"""Every transform, calibration, term and matching strategy runs with every method, or is refused in one line."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, calibration, matching, methods, teachers, terms, transforms
from graphkd.datasets import Graph
from graphkd.registry import catalogue
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec, resolve
from graphkd.students import MLP
from graphkd.testing.graphs import small_graph
from graphkd.training.settings import Training
from graphkd.training.stages.stage_cache import StageCache
from tests.contract.core import EVERY, SHORT_TRANSFORMS, TAUGHT

ADD_ONS = [
    (group, name)
    for group, package in (
        ("transform", transforms),
        ("calibration", calibration),
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


def spec_of(method: str, batch_size: int | None = None, transform: str = "none", **parts: str) -> DistillSpec:
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


def outcome(method: str, **parts: str) -> SeedRun | str:
    """A run, or the line that refuses it."""
    try:
        return SeedRun.train(unbalanced_graph(), spec_of(method, **parts), 0)
    except GraphKDError as error:
        return str(error)


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
    plain = outcome(method)
    assert isinstance(plain, SeedRun)
    states = run.distilled.model.state_dict(), plain.distilled.model.state_dict()
    assert all(tensor.isfinite().all() for tensor in states[0].values())
    assert any(not torch.equal(states[0][key], states[1][key]) for key in states[0])


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
