"""The transform's stage: what it trains is kept once for all methods, and what is distilled has scores."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, students, teachers
from graphkd.datasets import SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec, resolve
from graphkd.testing.graphs import small_graph
from graphkd.training.settings import Training
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import train_teacher
from graphkd.training.stages.transform import transformed
from graphkd.transforms import AngularViews, Ensemble, Transform

GRAPH = small_graph()
VIEWS = AngularViews(epochs=2)
SHORT = Training(max_epochs=3, patience=3)


def spec_of(transform: Transform | str, **parts: object) -> DistillSpec:
    teacher = functools.partial(teachers.SAGE, hidden_dim=6)
    student = functools.partial(students.MLP, hidden_dim=6)
    return resolve(**{"teacher": teacher, "student": student, "transform": transform, "training": SHORT, **parts})


def view_of(setting: str = "transductive") -> SettingView:
    return apply_setting(GRAPH, setting, 0)


def test_heads_are_trained_once_for_all_methods(tmp_path: Path) -> None:
    stages = []
    for method in ("glnn", "krd", "ff_g2m"):
        cache = StageCache(tmp_path)
        SeedRun.train(GRAPH, spec_of(VIEWS, method=method), 0, cache=cache)
        stages.append(cache.made)
    assert stages[0] == ["teacher", "transform", "student"]
    assert all("transform" not in made and "teacher" not in made for made in stages[1:])


def test_found_heads_make_the_same_bits_as_new_ones(tmp_path: Path) -> None:
    view, spec = view_of(), spec_of(VIEWS)
    results = []
    for cache in (None, StageCache(tmp_path), StageCache(tmp_path)):
        teacher_result = train_teacher(view, spec, 0, [], cache)
        results.append(transformed(view, spec, teacher_result, 0, cache).output)
    assert all(torch.equal(results[0].logits, each.logits) for each in results[1:])
    assert all(torch.equal(results[0].hops[-2], each.hops[-2]) for each in results[1:])


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"transform": AngularViews(epochs=3)}, True),
        ({"teacher": teachers.GCN}, True),
        ({"method": "krd"}, False),
        ({"training": replace(SHORT, lr=0.5)}, False),
        ({"training": replace(SHORT, teacher_lr=0.5)}, True),
    ],
)
def test_heads_are_trained_again_when_what_they_read_changes(change: dict, again: bool, tmp_path: Path) -> None:
    view = view_of()
    for parts in ({}, change):
        cache, spec = StageCache(tmp_path), spec_of(**{"transform": VIEWS, **parts})
        transformed(view, spec, train_teacher(view, spec, 0, [], cache), 0, cache)
    assert ("transform" in cache.made) == again


def test_heads_of_another_seed_are_others() -> None:
    view, spec = view_of(), spec_of(VIEWS)
    teacher_result = train_teacher(view, spec, 0, [])
    one, two = (transformed(view, spec, teacher_result, seed).output.logits for seed in (0, 1))
    assert not torch.equal(one, two)


def test_members_are_the_teachers_of_ordinary_runs(tmp_path: Path) -> None:
    view, spec = view_of(), spec_of(Ensemble(2))
    cache = StageCache(tmp_path)
    own = train_teacher(view, spec, 0, [], cache)
    found = transformed(view, spec, own, 0, cache).output
    ((_, seed),) = Ensemble(2).others("sage", 0)
    cache.made.clear()
    other = train_teacher(view, spec_of("none"), seed, [], cache)
    assert cache.made == []
    mean = (torch.softmax(own.output.logits, 1) + torch.softmax(other.output.logits, 1)) / 2
    torch.testing.assert_close(torch.softmax(found.logits, 1), mean)


@pytest.mark.parametrize("setting", ["transductive", "production", "inductive", "cold_start"])
@pytest.mark.parametrize("name", ["propagate", "angular_views", "ensemble", "label_propagation"])
def test_what_is_distilled_is_scored_as_the_teacher_is(name: str, setting: str) -> None:
    transform = VIEWS if name == "angular_views" else name
    run = SeedRun.train(GRAPH, spec_of(transform, setting=setting), 0)
    entry = run.entry
    assert entry["transformed_teacher"].keys() == entry["teacher"].keys()
    view, output = view_of(setting), run.distilled.teacher_result.output
    val = view.observed.val
    share = (output.logits[val].argmax(1) == view.observed.y[val]).double().mean().item()
    assert entry["transformed_teacher"]["val"] == pytest.approx(share)
    assert not torch.equal(output.logits, run.teacher_result.output.logits)


def test_without_a_transform_nothing_is_added() -> None:
    run = SeedRun.train(GRAPH, spec_of("none"), 0)
    assert "transformed_teacher" not in run.entry
    assert run.distilled.teacher_result is run.teacher_result


def test_layers_are_matched_to_the_features_of_the_ensemble() -> None:
    view, spec = view_of(), spec_of(VIEWS, matching="last")
    teacher_result = train_teacher(view, spec, 0, [])
    ensemble = transformed(view, spec, teacher_result, 0)
    targets = compile_targets(view, spec, teacher_result, 0)
    assert torch.equal(targets.hops[-1], ensemble.output.hops[-2])
    assert not torch.equal(targets.hops[-1], teacher_result.output.hops[-2])
    assert transformed(view, spec, ensemble, 0) is ensemble


def test_a_teacher_without_a_hidden_layer_is_refused_before_it_is_trained() -> None:
    spec = spec_of("angular_views", teacher=functools.partial(teachers.SAGE, num_layers=1))
    with pytest.raises(GraphKDError, match="transform=angular_views reads the teacher's last hidden layer"):
        spec.dry_run(8, 3)
    given = spec_of("angular_views", teacher=torch.zeros(60, 3))
    with pytest.raises(GraphKDError, match="transform=angular_views reads the teacher's last hidden layer"):
        SeedRun.train(GRAPH, given, 0)
