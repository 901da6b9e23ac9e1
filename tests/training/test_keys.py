"""The keys of the cache: all that a stage reads is in its key, or is on a list that says why not."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from graphkd import Training, influence, matching, methods, students, teachers, terms, transforms
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.outofcore import TableOptions
from graphkd.spec import DistillSpec
from graphkd.teachers import TeacherOutput
from graphkd.training.fit.loop import Fit
from graphkd.training.settings import OF_EACH
from graphkd.training.stages import stage_cache
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.stage_cache import StageCache, StageResult, code_digest
from graphkd.training.stages.student import student_key, train_student
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import TeacherResult, train_teacher
from tests.conftest import make_data

STAGES = ("teacher", "student", "influence", "targets")

OTHER: dict[str, Any] = {
    "max_epochs": 7,
    "patience": 7,
    "lr": 0.5,
    "weight_decay": 0.5,
    "teacher_lr": 0.5,
    "teacher_weight_decay": 0.5,
    "batch_size": 7,
    "metric": "macro_f1",
    "together": True,
    "precision": "bfloat16",
    "compile": True,
    "class_weight": "balanced",
    "optimizer": "adamw",
    "schedule": "cosine",
    "warmup": 7,
    "clip_norm": 0.5,
    "label_smoothing": 0.1,
    "teacher_optimizer": "adamw",
    "teacher_schedule": "linear",
    "teacher_warmup": 7,
    "teacher_clip_norm": 0.5,
    "teacher_label_smoothing": 0.1,
    "teacher_label_rate": 0.5,
    "teacher_label_reuse": 1,
    "teacher_batches": "checkpointed",
    "teacher_batch_size": 7,
    "fanout": 7,
    "parts": 7,
    "parts_per_step": 2,
    "partitioner": "metis",
}
"""Another value of every field of ``Training``."""

READ_BY = {
    "neighbours": ("teacher_batch_size", "fanout"),
    "partitions": ("parts", "parts_per_step", "partitioner"),
}
"""Fields that only one way to train a teacher reads."""

WITH_FULL: dict[str, dict[str, Any]] = {
    "teacher_label_rate": {},
    "teacher_label_reuse": {"teacher_label_rate": 0.5},
}
"""Fields that only a teacher on the whole graph takes, and what else they need."""

NOT_READ_BY_THE_TEACHER = {
    "lr": "the student's rate; the teacher has its own",
    "weight_decay": "the student's decay; the teacher has its own",
    "batch_size": "rows of a step of the student",
    "together": "how students train",
    "precision": "of the student's layers",
    "compile": "the student's layers",
    **dict.fromkeys(OF_EACH, "the student's; the teacher has its own"),
}

SAME_RESULT = {("full", "teacher_batches"): "checkpointed computes activations again, with the same bits"}
"""Ways to train a teacher, and fields whose other value here makes the same teacher."""


class Asked(BaseException):
    """A stage has asked the cache for what it is about to make."""


class Asking(StageCache):
    """A cache that ends the stage as soon as its key is known."""

    def __init__(self, *stages: str, tables: TableOptions | None = None) -> None:
        super().__init__(None, tables or TableOptions())
        self.stages = stages

    def load(self, stage: str, key: dict[str, Any]) -> StageResult | None:
        if stage in self.stages:
            raise Asked(json.dumps(key, sort_keys=True))
        return None

    def table_store(self, stage: str, key: dict[str, Any]) -> Any:
        self.load(stage, key)
        return super().table_store(stage, key)


def asked(stage: str, run: Callable[[Asking], object]) -> str:
    with pytest.raises(Asked) as found:
        run(Asking(stage))
    return str(found.value)


def spec(**parts: Any) -> DistillSpec:
    plain: dict[str, Any] = {
        "teacher": functools.partial(teachers.GCN, hidden_dim=6),
        "student": functools.partial(students.MLP, hidden_dim=6),
        "method": methods.InfGraND(),
        "influence": influence.confidence,
        "matching": matching.Forward(),
    }
    return DistillSpec(**{**plain, **parts})


def teacher_result_by(view: SettingView, key: str) -> TeacherResult:
    logits = torch.zeros(view.observed.num_nodes, 3)
    output = TeacherOutput(logits)
    return TeacherResult(None, output, {}, Fit(0, 0, 0.0), {"key": key}, lambda graph: output)


def keys(spec: DistillSpec, view: SettingView, seed: int = 0, dtype: str = "float32") -> dict[str, str]:
    """The keys of all stages of a run; later ones hold the teacher's."""
    teacher = asked("teacher", lambda cache: train_teacher(view, spec, seed, [], cache))
    teacher_result = teacher_result_by(view, teacher)
    return {
        "teacher": teacher,
        "student": json.dumps(student_key(view, spec, teacher_result, seed, dtype), sort_keys=True),
        "influence": asked("influence", lambda cache: node_weights(view, spec, teacher_result, seed, cache)),
        "targets": asked("compile", lambda cache: compile_targets(view, spec, teacher_result, seed, cache)),
    }


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [stage for stage in STAGES if before[stage] != after[stage]]


@pytest.fixture(scope="module")
def view() -> SettingView:
    return apply_setting(Graph.from_data(make_data()))


def test_every_field_of_training_has_another_value_here() -> None:
    assert list(OTHER) == [field.name for field in fields(Training)]
    assert not [name for name, value in OTHER.items() if getattr(Training(), name) == value]


@pytest.mark.parametrize("name", OTHER)
def test_every_field_of_training_is_in_the_keys_of_what_reads_it(name: str, view: SettingView) -> None:
    for way in ("full",) if name in WITH_FULL else ("full", "neighbours", "partitions"):
        training = Training(teacher_batches=way, **WITH_FULL.get(name, {}))
        here, there = spec(training=training), spec(training=replace(training, **{name: OTHER[name]}))
        only = [one for one, read in READ_BY.items() if name in read]
        by_teacher = name not in NOT_READ_BY_THE_TEACHER and (not only or way in only)
        by_teacher = by_teacher and (way, name) not in SAME_RESULT
        expected = ["student"] if name in NOT_READ_BY_THE_TEACHER else list(STAGES) if by_teacher else []
        assert changed(keys(here, view), keys(there, view)) == expected, (name, way)


def test_defaults_of_later_settings_are_in_no_key() -> None:
    """Keys of runs from before there were these stay."""
    assert Training().key_of("student") == Training().key_of("teacher") == []
    assert Training(class_weight="none", clip_norm=None, warmup=0).key_of("student") == []
    assert Training(warmup=3, teacher_schedule="cosine").key_of("student") == [["warmup", 3]]


@pytest.mark.parametrize("name", OTHER)
def test_a_plain_student_s_key_has_all_that_it_reads_itself(name: str, view: SettingView) -> None:
    """Nothing comes in through the key of a teacher here."""
    plain = spec(method=methods.MLP(), influence=None, matching=matching.NoMatching())
    other = replace(plain, training=Training(**WITH_FULL.get(name, {}), **{name: OTHER[name]}))
    one, two = (student_key(view, each, teacher_result_by(view, ""), 0, "float32") for each in (plain, other))
    of_teacher = name.startswith("teacher_") or any(name in read for read in READ_BY.values())
    assert (one != two) == (not of_teacher)


PARTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another teacher": ({"teacher": teachers.SAGE}, list(STAGES)),
    "a teacher's width": ({"teacher": functools.partial(teachers.GCN, hidden_dim=7)}, list(STAGES)),
    "a student's width": ({"student": functools.partial(students.MLP, hidden_dim=7)}, ["student"]),
    "a student's dropout": ({"student": functools.partial(students.MLP, hidden_dim=6, dropout=0.1)}, ["student"]),
    "a method's parameter": ({"method": methods.InfGraND(gamma2=0.7)}, ["student", "targets"]),
    "a method's hops": ({"method": methods.InfGraND(hops=1)}, ["student", "targets"]),
    "another influence": ({"influence": influence.degree}, ["student", "influence", "targets"]),
    "another matching": ({"matching": matching.Reverse()}, ["student"]),
    "a matching's weight": ({"matching": matching.Forward(weight=2.0)}, ["student"]),
    "a matching's distance": ({"matching": matching.Forward(distance="cosine")}, ["student"]),
    "no matching": ({"matching": matching.NoMatching()}, ["student"]),
    "a transform": ({"transform": transforms.PropagateTeacher()}, ["student", "targets"]),
    "a term": ({"term": terms.EntropyMinimization()}, ["student"]),
    "another term": ({"term": terms.ConfidencePenalty()}, ["student"]),
    "a term's weight": ({"term": terms.EntropyMinimization(weight=0.5)}, ["student"]),
}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_recipe_is_in_the_keys_of_what_reads_it(part: str, view: SettingView) -> None:
    parts, stages = PARTS[part]
    assert changed(keys(spec(), view), keys(spec(**parts), view)) == stages


@pytest.mark.parametrize(
    ("part", "key", "values"),
    [
        (influence.reliability, "std", (1.0, 2.0)),
        (influence.infgrand, "hops", (1, 2)),
        (influence.infgrand, "variant", ("paper", "reference")),
        (influence.pagerank, "damping", (0.85, 0.5)),
        (influence.shuffled, "base", ("degree", "kcore")),
        (influence.random_uniform, "seed", (0, 1)),
    ],
)
def test_an_influence_s_parameters_are_in_the_keys(part: Any, key: str, values: Any, view: SettingView) -> None:
    here, there = (spec(influence=functools.partial(part, **{key: value})) for value in values)
    assert changed(keys(here, view), keys(there, view)) == ["student", "influence", "targets"]


@pytest.mark.parametrize("setting", ["production", "inductive", "cold_start"])
def test_the_setting_is_in_the_keys(setting: str) -> None:
    """Also where it hides the same nodes as another one does."""
    graph = Graph.from_data(make_data())
    here, there = (keys(spec(setting=name), apply_setting(graph, name)) for name in ("transductive", setting))
    assert changed(here, there) == list(STAGES)
    views = [apply_setting(graph, name) for name in ("production", "inductive")]
    assert views[0].observed.fingerprint() == views[1].observed.fingerprint()
    here, there = (keys(spec(setting=each.setting.name), each) for each in views)
    assert changed(here, there) == list(STAGES)


def other_graph(name: str) -> Graph:
    data = make_data()
    if name == "features":
        data.x[0, 0] += 1
    elif name == "edges":
        data.edge_index = data.edge_index[:, 1:]
    elif name == "weights":
        data.edge_weight = torch.full((data.num_edges,), 0.5)
    elif name == "labels":
        data.y[0] = (data.y[0] + 1) % 3
    else:
        data[name][data[name].nonzero()[0]] = False
    return Graph.from_data(data)


@pytest.mark.parametrize("name", ["features", "edges", "weights", "labels", "train_mask", "val_mask", "test_mask"])
def test_the_data_is_in_every_key(name: str, view: SettingView) -> None:
    for parts in ({}, {"influence": influence.degree}):
        here, there = keys(spec(**parts), view), keys(spec(**parts), apply_setting(other_graph(name)))
        assert changed(here, there) == list(STAGES)


@pytest.mark.parametrize(("name", "value"), [("num_classes", 4), ("metric", "roc_auc")])
def test_classes_and_metric_are_in_the_keys_of_what_trains(name: str, value: Any, view: SettingView) -> None:
    other = replace(view, observed=replace(view.observed, **{name: value}))
    plain = spec(method=methods.MLP(), influence=None, matching=matching.NoMatching())
    taught = spec(influence=None)
    teacher = [
        asked("teacher", lambda cache, at=at: train_teacher(at, taught, 0, [], cache)) for at in (view, other)
    ]
    assert teacher[0] != teacher[1]
    one, two = (student_key(at, plain, teacher_result_by(at, ""), 0, "float32") for at in (view, other))
    assert one != two


def test_the_seed_is_in_the_key_of_a_student_whoever_its_teacher_is(view: SettingView) -> None:
    assert changed(keys(spec(), view, 0), keys(spec(), view, 1)) == list(STAGES)
    for parts in ({}, {"method": methods.MLP(), "influence": None, "matching": matching.NoMatching()}):
        chosen, given = spec(**parts), teacher_result_by(view, "given")
        one, two = (student_key(view, chosen, given, seed, "float32") for seed in (0, 1))
        assert one != two


def test_an_influence_that_draws_has_the_seed_in_its_key_and_another_has_not(view: SettingView) -> None:
    for part, differs in ((influence.random_uniform, True), (influence.shuffled, True), (influence.degree, False)):
        chosen, given = spec(influence=part), teacher_result_by(view, "given")
        found = [
            asked("influence", lambda cache, seed=seed: node_weights(view, chosen, given, seed, cache))  # noqa: B023
            for seed in (0, 1)
        ]
        assert (found[0] != found[1]) == differs


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_type_of_tables_is_in_a_student_s_key(dtype: str, view: SettingView) -> None:
    assert changed(keys(spec(), view), keys(spec(), view, dtype=dtype)) == ["student"]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_student_asks_for_the_type_that_its_tables_have(dtype: str, view: SettingView) -> None:
    found = []
    for kind in ("float32", dtype):
        cache = Asking("student", tables=TableOptions(1.0, kind))
        plain = spec(influence=None, matching=matching.NoMatching())
        with pytest.raises(Asked) as caught:
            train_student(view, plain, teacher_result_by(view, ""), 0, [], cache)
        found.append(str(caught.value))
    assert found[0] != found[1]


def test_the_full_graph_is_in_the_keys_where_the_influence_is_taken_from_it() -> None:
    """Hidden nodes' features alone differ: all that training sees is the same."""
    graph, views = Graph.from_data(make_data()), []
    for shift in (0.0, 1.0):
        other = replace(graph, x=graph.x.clone())
        other.x[apply_setting(graph, "production").hidden[0]] += shift
        views.append(apply_setting(other, "production"))
    assert views[0].observed.fingerprint() == views[1].observed.fingerprint()
    for part in (influence.degree, influence.infgrand):
        leaking = spec(method=methods.InfGraND("reference"), influence=part, setting="production")
        with pytest.warns(UserWarning, match="takes the influence from the full graph"):
            here, there = (keys(leaking, each) for each in views)
        assert changed(here, there) == ["student", "influence", "targets"]
    tight = spec(influence=influence.degree, setting="production")
    assert changed(*(keys(tight, each) for each in views)) == []


def test_code_counts_by_what_is_in_it_and_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("training/stages/stage_cache.py", "sparse/a.py", "sparse/deep/b.py", "norm.py", "deploy/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one\n")
    monkeypatch.setattr(stage_cache, "__file__", str(tmp_path / "training" / "stages" / "stage_cache.py"))

    def code() -> str:
        stage_cache._own_digest.cache_clear()
        return code_digest()

    try:
        digests = [code()]
        assert code() == digests[0]
        (tmp_path / "deploy/c.py").write_text("two\n")  # no stage runs it
        assert code() == digests[0]
        for name in ("sparse/deep/b.py", "norm.py"):
            (tmp_path / name).write_text("two\n")
            digests.append(code())
        (tmp_path / "sparse/a.py").rename(tmp_path / "sparse/c.py")
        digests.append(code())
        monkeypatch.setattr(torch, "__version__", "0.0")
        digests.append(code())
        assert len(set(digests)) == 5
    finally:
        stage_cache._own_digest.cache_clear()
