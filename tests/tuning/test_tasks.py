"""Searches on graphs whose nodes have labels or numbers."""

import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import graphkd
from graphkd import GraphKDError
from graphkd.commands.tune import report_of
from graphkd.config import composed, spec_from
from graphkd.datasets import Graph
from graphkd.spec import resolve
from graphkd.tasks import TASKS
from graphkd.training.task_compatibility import check_task
from graphkd.tuning.api import _space
from graphkd.tuning.blinded import blinded
from graphkd.tuning.budget import Budget
from graphkd.tuning.candidate import Candidate
from graphkd.tuning.plots import draw_pareto
from graphkd.tuning.problem import Problem
from graphkd.tuning.records import Records
from graphkd.tuning.sampler import Sampler
from graphkd.tuning.scoring import Scorer
from graphkd.tuning.search import Search
from graphkd.tuning.space import Space
from tests.tasks.graphs import data_of
from tests.tiers import some_of
from tests.tuning.fakes import FakeWorkers, settings_of

pytest.importorskip("optuna")

OTHERS = ["multilabel", "regression"]
SHORT = ["training.max_epochs=8", "student.hidden_dim=8", "teacher.hidden_dim=8", "device=cpu"]
STUDENT = Candidate(0, ("method=glnn", "encoder=raw"), teacher=("teacher=gcn",))
NEVER = time.time() + 1e6


def space_of(task: str, metric: str | None = None) -> tuple[Space, Graph]:
    graph = Graph.from_data(data_of(task))
    spec = resolve(training=graphkd.Training(metric=metric))
    return _space({}, spec, graph, "neighbours", None), graph


@pytest.mark.parametrize("task", some_of(OTHERS, 2))
def test_every_candidate_makes_sense_for_the_task(task: str) -> None:
    space, graph = space_of(task)
    assert space.methods == ("glnn", "infgrand", "teacher_bounded")
    assert "labels" not in space.encoders
    assert not space.weighs_classes
    assert space.metric == graph.metric
    sampler = Sampler(lambda trial: space.student(trial, [("teacher=gcn",)]), seed=0)
    starts = space.starts()
    assert starts[0]["method"] == "mlp"
    for overrides, _ in sampler.ask(0, [*(draws for draws in starts if draws["method"] == "teacher_bounded"), {}]):
        spec = spec_from(composed(overrides))
        check_task(spec, graph.task)
        assert spec.transform.name == "none"


def test_class_weights_are_not_drawn_for_labels() -> None:
    assert not space_of("multilabel", "macro_f1")[0].weighs_classes
    assert space_of("multiclass", "macro_f1")[0].weighs_classes


MISTAKES = {
    "a method of classes": ({"methods": ["krd"]}, "methods has krd, which is for tasks multiclass, binary"),
    "a transform": ({"overrides": ["transform=propagate"]}, "transform=propagate is for one class per node"),
    "another task's metric": ({"overrides": ["training.metric=accuracy"]}, "unknown training.metric 'accuracy'"),
    "a method that reads classes": (
        {"methods": ["cohop"], "reads": "neighbours"},
        "methods has cohop, which is for tasks multiclass, binary",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_for_classes_alone_is_refused(mistake: str, tmp_path: Path) -> None:
    arguments, reason = MISTAKES[mistake]
    with pytest.raises(GraphKDError, match=re.escape(reason)) as error:
        graphkd.tune(data_of("regression"), output_dir=tmp_path / "out", **arguments)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("task", TASKS)
def test_labels_of_test_nodes_are_hidden_and_scores_are_there(task: str) -> None:
    graph = Graph.from_data(data_of(task))
    labels = graph.y.clone()
    labels[graph.test] = 1 - labels[graph.test] if task != "multiclass" else (labels[graph.test] + 1) % 3
    other, hidden = blinded(replace(graph, y=labels)), blinded(graph)
    assert hidden.fingerprint() == other.fingerprint()
    kept = torch.cat([graph.train, graph.val])
    assert torch.equal(hidden.y[kept], graph.y[kept])
    hidden.task.check_scorable(hidden.metric, {"test": hidden.y[hidden.test]})


@pytest.mark.parametrize("case", some_of(["regression r2", "multilabel roc_auc", "regression neg_mae"], 3))
def test_a_score_is_the_task_s_own_of_the_validation_nodes(case: str, tmp_path: Path) -> None:
    task, metric = case.split()
    data = data_of(task, metric=metric)
    found = Scorer(Problem(tuple(SHORT), data), tmp_path).result(STUDENT, 0, NEVER)
    parts: dict[str, Any] = {"training": graphkd.Training(max_epochs=8), "baseline": False, "device": "cpu"}
    for group, kind in (("teacher", graphkd.teachers.GCN), ("student", graphkd.students.MLP)):
        parts[group] = _narrow(kind)
    (entry,) = graphkd.distill(data, method="glnn", **parts).metrics["seeds"]
    assert found.val == entry["student"]["val"]


def _narrow(part: Any) -> Any:
    import functools

    return functools.partial(part, hidden_dim=8)


def test_the_smallest_error_wins_and_one_seed_is_judged_in_its_unit(tmp_path: Path) -> None:
    def score(candidate: Candidate, seed: int) -> float:
        return -50.0 if settings_of(candidate).get("method") == "infgrand" else -80.0

    space = Space(methods=("glnn", "infgrand"), shapes=((2, 64),), transforms=("none",), metric="neg_mae")
    found = Search(space, FakeWorkers(score), Records(tmp_path, {}), Budget(60, 16), 500)
    assert settings_of(found.run())["method"] == "infgrand"
    assert found._standard_error([1.0]) == pytest.approx(80 * math.sqrt(0.5 / 500))


@pytest.mark.slow
@pytest.mark.parametrize("task", [*OTHERS, "binary"])
def test_a_search_ends_with_runs_and_a_table_of_the_metric(task: str, tmp_path: Path) -> None:
    metric = {"regression": "neg_mae"}.get(task, "roc_auc")
    few = {"minutes": 30, "trials": 1, "methods": ["glnn"], "seeds": 1, "overrides": SHORT}
    tuned = graphkd.tune(data_of(task, metric=metric), output_dir=tmp_path / "out", **few)
    assert tuned.summary["metric"] == metric
    assert {"mlp", "glnn"} == set(tuned.trials["method"])
    assert not tuned.trials["error"].notna().any()
    lines = report_of(tuned)
    assert (f"val {metric} %" in lines[1]) == (task != "regression")
    assert f"val {metric}" in lines[1]
    assert "student_test" in tuned.winner.metrics["mean"]
    assert (tuned.path / "pareto.png").exists()


def test_a_plot_of_errors() -> None:
    row = {"microseconds": 5.0, "val": -120.5, "method": "mlp", "seeds": 2, "number": 0}
    assert draw_pareto([row], 0, "neg_mae").startswith(b"\x89PNG")
