"""Metrics of labels and numbers against scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn import metrics

from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.errors import GraphKDError
from graphkd.evaluation import F1, R2, MeanRocAuc
from graphkd.tasks import Multilabel, Regression
from tests.tasks.graphs import data_of

GIVEN = torch.Generator().manual_seed(0)
SCORES = torch.randn(50, 4, generator=GIVEN).round(decimals=1)  # with ties
LABELS = (torch.rand(50, 4, generator=GIVEN) < 0.4).float()


def test_roc_auc_is_the_mean_over_labels() -> None:
    expected = metrics.roc_auc_score(LABELS.numpy(), SCORES.numpy(), average="macro")
    assert float(MeanRocAuc(LABELS)(SCORES)) == pytest.approx(expected, abs=1e-12)


def test_unknown_entries_are_left_out_of_their_label() -> None:
    y = LABELS.clone()
    y[:10, 1] = torch.nan
    columns = [metrics.roc_auc_score(y[~y[:, k].isnan(), k], SCORES[~y[:, k].isnan(), k]) for k in range(4)]
    assert float(MeanRocAuc(y)(SCORES)) == pytest.approx(np.mean(columns), abs=1e-12)


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_f1_of_thresholds_is_sklearn_s(average: str) -> None:
    expected = metrics.f1_score(LABELS.numpy(), SCORES.numpy() > 0, average=average, zero_division=0)
    assert float(F1(LABELS, macro=average == "macro")(SCORES)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_known_counts_give_each_row_its_number_of_likeliest_labels(average: str) -> None:
    scores = torch.randn(50, 4, generator=torch.Generator().manual_seed(3))
    given = torch.zeros_like(LABELS)
    for row in range(50):  # literally: DeepWalk's protocol
        for label in sorted(range(4), key=lambda k, row=row: -float(scores[row, k]))[: int(LABELS[row].sum())]:
            given[row, label] = 1
    expected = metrics.f1_score(LABELS.numpy(), given.numpy(), average=average, zero_division=0)
    score = F1(LABELS, macro=average == "macro", known_counts=True)(scores)
    assert float(score) == pytest.approx(expected, abs=1e-12)


def test_errors_are_sklearn_s() -> None:
    y, z = SCORES.double(), SCORES.double() + LABELS
    task = Regression()
    assert task.score("r2", z, y) == pytest.approx(metrics.r2_score(y, z), abs=1e-12)
    assert task.score("mae", z, y) == -task.score("neg_mae", z, y)
    assert task.score("mae", z, y) == pytest.approx(metrics.mean_absolute_error(y, z), abs=1e-12)
    assert task.score("rmse", z, y) == pytest.approx(metrics.mean_squared_error(y, z) ** 0.5, abs=1e-12)
    rows = task.by_output(z, y)
    assert [row["r2"] for row in rows] == pytest.approx(list(metrics.r2_score(y, z, multioutput="raw_values")))


def test_precision_recall_and_f1_of_each_label_are_sklearn_s() -> None:
    expected = metrics.precision_recall_fscore_support(LABELS, SCORES > 0, zero_division=0)
    rows = Multilabel().by_output(SCORES, LABELS)
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert [row[name] for row in rows] == pytest.approx(list(values))


def test_what_cannot_be_scored_is_said() -> None:
    with pytest.raises(GraphKDError, match="a label that some nodes"):
        MeanRocAuc(torch.ones(3, 2))
    with pytest.raises(GraphKDError, match="targets that differ"):
        R2(torch.ones(3, 1))


UNSCORABLE = {
    "binary": (lambda y: torch.zeros_like(y), "are of one class: give more"),
    "multilabel": (
        lambda y: torch.ones_like(y),
        "have no label that some of them have and others have not: give more",
    ),
    "regression": (lambda y: torch.full_like(y, 7.5), "have a target that is the same in all of them: give more"),
}


@pytest.mark.parametrize("task", UNSCORABLE)
def test_hidden_nodes_that_cannot_be_scored_are_named_in_the_words_of_the_task(task: str) -> None:
    alike, words = UNSCORABLE[task]
    data = data_of(task)
    hidden = apply_setting(Graph.from_data(data), "production", 0).hidden
    data.y[hidden] = alike(data.y[hidden])
    metric = Graph.from_data(data).metric
    message = f"data.metric is {metric}, but the hidden test nodes of setting=production, 4 of 20, {words}"
    with pytest.raises(GraphKDError, match=message):
        apply_setting(Graph.from_data(data), "production", 0)
