"""Which task labels are of, and what is no label of it."""

from typing import Any

import numpy as np
import pytest
import torch

import graphkd
from graphkd import Training
from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.tasks import TASKS, Regression
from graphkd.tasks.choice import task_of
from tests.tasks.graphs import NODES, data_of, labels_of

SHORT = Training(max_epochs=2)


@pytest.mark.parametrize("task", TASKS)
def test_the_task_is_that_of_the_labels(task: str) -> None:
    data = data_of(task)
    assert task_of(data).name == task
    graph = Graph.from_data(data)
    assert graph.task.name == task
    assert graph.metric == TASKS[task].metrics[0]


def test_labels_keep_what_is_unknown() -> None:
    y = labels_of("multilabel")
    y[0, 1], y[3] = torch.nan, torch.nan  # of a training node one entry, of another all but one
    y[3, 0] = 1.0
    graph = Graph.from_data(data_of("multilabel", y))
    assert graph.y.isnan().sum() == 3
    prices = labels_of("regression")
    data = data_of("regression", prices)
    data.test_mask[2] = False
    prices[2] = torch.nan
    assert Graph.from_data(data).y.isnan().tolist()[2] == [True]


def change(of: str, **parts: Any) -> Any:
    def made() -> Any:
        data = data_of(of)
        for name, part in parts.items():
            data[name] = part(data[name]) if callable(part) else part
        return data

    return made


def at(row: int, value: float) -> Any:
    def changed(y: Any) -> Any:
        y = y.clone().double()
        y[row] = value
        return y

    return changed


MISTAKES = {
    "a number to predict is missing": (change("regression", y=at(0, float("nan"))), "holds nan inside a mask"),
    "a number to predict is missing at a test node": (
        change("regression", y=at(2, float("nan"))),
        "holds nan inside",
    ),
    "as many fractions as whole numbers": (
        change("multiclass", y=0.5 * (1 + torch.arange(NODES) % 2)),
        "not whole class numbers",
    ),
    "a number to predict is infinite": (change("regression", y=at(0, float("inf"))), "holds inf inside a mask"),
    "one number among classes": (change("multiclass", y=at(0, 0.5)), "not whole class numbers"),
    "a label that is neither": (change("multilabel", y=at(0, 2.0), task="multilabel"), "0 and 1 alone"),
    "no label of a node is known": (change("multilabel", y=at(0, float("nan"))), "have no known label"),
    "one class each as a table": (
        change("multiclass", y=lambda y: torch.nn.functional.one_hot(y, 3).float()),
        "exactly one 1 in every row",
    ),
    "labels in one column": (change("multiclass", task="multilabel"), "task=multilabel needs data.y"),
    "three classes for yes or no": (change("multiclass", task="binary"), "needs two classes, but data.y has 3"),
    "numbers that are booleans": (change("binary", y=lambda y: y > 0, task="regression"), "choose task=binary"),
    "no such task": (change("multiclass", task="multilable"), "did you mean 'multilabel'"),
    "no name": (change("multiclass", task=3), "data.task"),
    "another task's metric": (change("regression", metric="accuracy"), "data.metric"),
    "names for other labels": (change("multilabel", class_names=["a", "b"]), "2 names, but data.y 3 labels"),
    "a cube": (change("multilabel", y=torch.zeros(NODES, 2, 2)), "but has shape"),
    "a row too few": (change("multilabel", y=torch.zeros(NODES - 1, 2)), "but has shape"),
    "the same number everywhere": (change("regression", y=torch.full((NODES,), 0.5)), "targets that differ"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_one_line(mistake: str) -> None:
    made, message = MISTAKES[mistake]
    with pytest.raises(GraphKDError, match=message) as error:
        Graph.from_data(made())
    assert "\n" not in str(error.value)


PARTS = {
    "a method of classes": ({"method": "krd"}, "method=krd is for tasks multiclass, binary"),
    "a transform": ({"transform": "propagate"}, "transform=propagate is for one class per node"),
    "a calibration": ({"calibration": "logit_standardization"}, "calibration=logit_standardization is for one"),
    "a balance": ({"balance": "bkd"}, "balance=bkd is for one class per node"),
    "a term": ({"term": "entropy"}, "term=entropy is for one class per node"),
    "a temperature": ({"calibrate": True}, "deploy.calibrate is for one class per node"),
    "class weights": ({"training": Training(class_weight="balanced")}, "training.class_weight is for one class"),
    "smoothing": ({"training": Training(teacher_label_smoothing=0.1)}, "teacher_label_smoothing is for one class"),
    "an influence of classes": (
        {"method": "infgrand", "influence": "reliability"},
        "influence=reliability is for",
    ),
    "a metric of classes": ({"training": Training(metric="accuracy")}, "training.metric"),
}


@pytest.mark.parametrize("task", ["multilabel", "regression"])
@pytest.mark.parametrize("part", PARTS)
def test_what_is_for_classes_alone_is_refused(part: str, task: str) -> None:
    arguments, message = PARTS[part]
    with pytest.raises(GraphKDError, match=message) as error:
        graphkd.distill(data_of(task), **{"training": SHORT, **arguments})
    assert "\n" not in str(error.value)


def test_numbers_have_no_probabilities() -> None:
    predictor = graphkd.distill(data_of("regression"), training=SHORT, baseline=False).predictor
    with pytest.raises(GraphKDError, match="call predict"):
        predictor.predict_proba(np.zeros((1, 5), np.float32))


def test_mean_and_deviation_move_with_the_graph() -> None:
    """Else every step of teacher and student would move them, which a CUDA graph cannot hold."""
    task = Graph.from_data(data_of("regression")).to("meta").task
    assert isinstance(task, Regression)
    assert task.offset is not None
    assert task.scale is not None
    assert {task.offset.device.type, task.scale.device.type} == {"meta"}
    assert task.naturals(torch.zeros(1, 1, device="meta")).device.type == "meta"
