"""Runs of every task: trained, saved, answered by every runtime, in every setting."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import graphkd
from graphkd import GraphDistiller, GraphDistillerRegressor, Training
from graphkd.cli import main
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.errors import GraphKDError
from graphkd.spec import resolve
from graphkd.tasks import TASKS
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import train_teacher
from tests.tasks.graphs import data_of, features

TRAINING = Training(max_epochs=40)
METHODS = ("mlp", "glnn", "infgrand", "teacher_bounded")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_every_method_of_any_task_learns(task: str, method: str) -> None:
    run = graphkd.distill(data_of(task), method=method, training=TRAINING, baseline=False)
    assert run.metrics["task"] == task
    assert run.metrics["mean"]["student_test"] > (0.7 if task == "multilabel" else 0.2)


def test_binary_is_two_classes_to_the_bit() -> None:
    runs = []
    for task in ("binary", "multiclass"):
        data = data_of("binary", metric="roc_auc")
        data.task = task
        runs.append(graphkd.distill(data, training=TRAINING))
    one, two = (dict(run.student.state_dict()) for run in runs)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "task", [pytest.param(task, marks=() if task == "regression" else pytest.mark.slow) for task in TASKS]
)
def test_every_runtime_gives_the_answers(task: str, tmp_path: Path) -> None:
    run = graphkd.distill(data_of(task), training=TRAINING, baseline=False)
    run.save(tmp_path / "run")
    x = features().numpy()
    models = [graphkd.load_bundle(tmp_path / "run", runtime) for runtime in ("torch", "numpy")]
    run.export(tmp_path / "run", "onnx")
    models.append(graphkd.load_bundle(tmp_path / "run", "onnx"))
    # Numbers are rounded relative to their size, probabilities to 1: a few units in the last place of float32.
    size = 1.0 if task != "regression" else float(np.abs(models[0].scores(x)).max())
    for model in models[1:]:
        np.testing.assert_allclose(model.scores(x), models[0].scores(x), rtol=0, atol=1e-6 * size)
        same = np.isclose if task == "regression" else np.equal
        assert same(model.predict(x), models[0].predict(x)).all()
    assert models[0].predict(x).shape == ((60, 3) if task == "multilabel" else (60,))


def test_numbers_are_in_the_user_s_units_and_scale_with_them(tmp_path: Path) -> None:
    found = []
    for unit in (1.0, 1000.0):
        data = data_of("regression")
        data.y = data.y * unit
        run = graphkd.distill(data, training=TRAINING, baseline=False)
        found.append((run.metrics["mean"]["student_test"], run.predictor.predict(features().numpy()) / unit))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-4)
    assert 800 < found[0][1].mean() < 1200


def test_outputs_of_a_given_teacher_are_in_the_user_s_units() -> None:
    data = data_of("regression")
    perfect = data.y.float().unsqueeze(1)
    run = graphkd.distill(data, teacher=perfect, training=Training(max_epochs=300), baseline=False)
    assert run.metrics["mean"]["teacher_test"] == pytest.approx(1.0, abs=1e-6)
    assert run.metrics["mean"]["student_test"] > 0.5


@pytest.mark.parametrize("setting", ["production", "inductive", "cold_start"])
@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_nothing_of_a_hidden_node_reaches_training(task: str, setting: str) -> None:
    spec = resolve(method="infgrand", setting=setting, training=Training(max_epochs=2))
    tensors = []
    for changed in (False, True):
        data = data_of(task)
        hidden = apply_setting(Graph.from_data(data), setting, 0).hidden
        if changed:
            data.x[hidden] += 5.0
            data.y[hidden] = 1 - data.y[hidden] if task == "multilabel" else data.y[hidden] * 3
        view = apply_setting(Graph.from_data(data), setting, 0)
        teacher = train_teacher(view, spec, 0, [])
        targets = compile_targets(view, spec, teacher, 0)
        assert targets.soft is not None
        tensors.append([targets.soft.table, targets.labels[targets.labelled], teacher.output.logits])
        naturals = view.observed.task.naturals(torch.zeros(1, targets.labels.shape[1]))
        tensors[-1].append(naturals)
    assert all(torch.equal(one, two) for one, two in zip(*tensors, strict=True))


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_a_run_is_resumed_and_reloaded(task: str, tmp_path: Path) -> None:
    data, cache = data_of(task), tmp_path / "cache"
    arguments: dict[str, Any] = {"method": "glnn", "training": TRAINING, "baseline": False, "cache_dir": cache}
    one, two = (graphkd.distill(data, **arguments) for _ in range(2))  # the second from the cache
    np.testing.assert_array_equal(one.predictor.scores(features()), two.predictor.scores(features()))
    one.save(tmp_path / "run")
    saved = graphkd.load_run(tmp_path / "run", data=data)
    assert saved.evaluate().scores == one.evaluate().scores
    assert saved.predictions().equals(one.predictions())
    assert len(one.evaluate().classes) == (3 if task == "multilabel" else 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "training", [{"batch_size": 16}, {"teacher_batches": "neighbours", "teacher_batch_size": 8}]
)
@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_batches_learn(task: str, training: dict[str, Any]) -> None:
    run = graphkd.distill(data_of(task), training=Training(max_epochs=40, **training), baseline=False)
    assert run.metrics["mean"]["student_test"] > (0.7 if task == "multilabel" else 0.2)


@pytest.mark.parametrize("kind", ["csv", "parquet", "npy"])
@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_batch_scoring_writes_labels_or_numbers(task: str, kind: str, tmp_path: Path) -> None:
    import pandas as pd

    names = {"class_names": ["red", "old", "tall"]} if task == "multilabel" else {"class_names": ["price"]}
    run = graphkd.distill(data_of(task, **names), training=TRAINING, baseline=False)
    run.save(tmp_path / "run")
    pd.DataFrame(features().numpy(), columns=list("abcde")).to_csv(tmp_path / "in.csv", index=False)
    arguments = [str(tmp_path / "run"), str(tmp_path / "in.csv"), str(tmp_path / f"out.{kind}")]
    assert main(["predict", *arguments, "--runtime", "numpy"]) == 0
    expected = graphkd.load_bundle(tmp_path / "run", "numpy").scores(features().numpy())
    if kind == "npy":
        np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), expected)
        return
    table = pd.read_csv(tmp_path / "out.csv") if kind == "csv" else pd.read_parquet(tmp_path / "out.parquet")
    if task == "regression":
        assert table.columns.tolist() == ["row", "price"]
        np.testing.assert_array_equal(table.price.to_numpy(np.float32), expected[:, 0])
        return
    given = [";".join(labels) if kind == "parquet" else labels for labels in table["labels"].fillna("")]
    every = names["class_names"]
    assert given == [";".join(np.array(every)[row > 0.5]) for row in expected]


def test_estimators_are_those_of_their_tasks() -> None:
    labels, prices = data_of("multilabel"), data_of("regression")
    classifier = GraphDistiller(training=TRAINING, baseline=False).fit(labels)
    assert classifier.predict(features()).shape == classifier.predict_proba(features()).shape == (60, 3)
    assert classifier.score(labels) == classifier.score(labels.x[labels.val_mask], labels.y[labels.val_mask])
    regressor = GraphDistillerRegressor(training=TRAINING, baseline=False).fit(prices)
    assert regressor.score(prices) == pytest.approx(regressor.run_.metrics["seeds"][0]["student"]["val"], abs=1e-6)
    with pytest.raises(GraphKDError, match="use graphkd.GraphDistillerRegressor"):
        GraphDistiller().fit(prices)
    with pytest.raises(GraphKDError, match="use graphkd.GraphDistiller"):
        GraphDistillerRegressor().fit(labels)
