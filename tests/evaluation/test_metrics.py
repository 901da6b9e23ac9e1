import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score

from graphkd import GraphKDError
from graphkd.evaluation import (
    accuracy,
    balanced_accuracy,
    expected_calibration_error,
    macro_f1,
    roc_auc,
    score,
    scorer,
    worst_class_accuracy,
)
from tests.strategies import tables


def test_by_hand() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [1.0, 0.0]])
    y = torch.tensor([0, 1, 0, 1])
    assert accuracy(logits, y) == 0.75
    assert abs(macro_f1(logits, y) - (0.8 + 2 / 3) / 2) < 1e-12


@given(logits=tables(12, 2), y=st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_roc_auc_counts_the_pairs_that_are_in_order(logits: torch.Tensor, y: list[int]) -> None:
    assume(0 < sum(y) < 12)
    won, pairs = 0.0, 0
    for (low_0, low_1), label in zip(logits.tolist(), y, strict=True):
        for (high_0, high_1), other in zip(logits.tolist(), y, strict=True):
            if (label, other) == (0, 1):
                low, high = low_1 - low_0, high_1 - high_0
                won, pairs = won + (high > low) + 0.5 * (high == low), pairs + 1
    assert roc_auc(logits, torch.tensor(y)) == pytest.approx(won / pairs, abs=1e-12)


def test_roc_auc_takes_the_difference_in_float64() -> None:
    logits = torch.tensor([[1e8, 1e-3], [1e8, 2e-3]])
    assert roc_auc(logits, torch.tensor([0, 1])) == 1.0


def test_what_cannot_be_ranked_is_one_line() -> None:
    two = torch.zeros(3, 2)
    with pytest.raises(GraphKDError, match="nodes of both classes to score, but only one occurs"):
        roc_auc(two, torch.tensor([1, 1, 1]))
    with pytest.raises(GraphKDError, match=r"needs two classes, but logits are \[3, 4\]"):
        roc_auc(torch.zeros(3, 4), torch.tensor([0, 1, 1]))
    with pytest.raises(GraphKDError, match="the model has diverged"):
        roc_auc(two + float("nan"), torch.tensor([0, 1, 1]))


def test_a_score_by_name() -> None:
    logits, y = torch.tensor([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1, 1])
    assert score("accuracy", logits, y) == pytest.approx(1 / 3)
    assert score("roc_auc", logits, y) == 1.0
    with pytest.raises(GraphKDError, match="unknown metric 'accurcy': did you mean 'accuracy'"):
        score("accurcy", logits, y)


@given(logits=tables(40, 2), y=st.lists(st.integers(0, 1), min_size=40, max_size=40))
def test_a_scorer_says_what_scikit_learn_says(logits: torch.Tensor, y: list[int]) -> None:
    assume(0 < sum(y) < 40)
    labels, margin = torch.tensor(y), (logits[:, 1].double() - logits[:, 0].double())
    assert float(scorer("roc_auc", labels)(logits)) == pytest.approx(roc_auc_score(labels, margin), abs=1e-12)
    expected = accuracy_score(labels, logits.argmax(dim=1))
    assert float(scorer("accuracy", labels)(logits)) == pytest.approx(expected, abs=1e-12)


# labels, predictions and the mean of 2 TP / (2 TP + FP + FN) over the classes that are there or predicted
MACRO = [
    ([0, 0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0], (12 / 14 + 0) / 2),
    ([0, 0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 1, 0], (12 / 13 + 2 / 3) / 2),
    ([0, 0, 0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 0, 2, 1], (1 + 0 + 0) / 3),
    ([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 2], (4 / 5 + 4 / 5 + 1) / 3),
    ([0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], (0 + 10 / 11) / 2),
    ([0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0], (2 / 3 + 8 / 9) / 2),
    ([0, 0, 1], [0, 2, 1], (2 / 3 + 1 + 0) / 3),
    ([2, 2, 2, 2, 0, 1], [2, 2, 2, 0, 0, 1], (6 / 7 + 2 / 3 + 1) / 3),
    ([1, 1, 1, 1], [1, 1, 1, 1], 1.0),
    ([0, 1, 2], [1, 2, 0], 0.0),
]


@pytest.mark.parametrize(("y", "said", "expected"), MACRO)
def test_macro_f1_weighs_every_class_alike(y: list[int], said: list[int], expected: float) -> None:
    logits = torch.nn.functional.one_hot(torch.tensor(said), 3).float()
    assert macro_f1(logits, torch.tensor(y)) == pytest.approx(expected)


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_the_calibration_error_is_that_of_a_loop_over_rows_and_bins(bins: int) -> None:
    generator = torch.Generator().manual_seed(bins)
    logits = 3 * torch.randn(200, 4, generator=generator, dtype=torch.float64)
    y = torch.randint(4, (200,), generator=generator)
    gaps = [0.0] * bins
    for row, label in zip(logits.tolist(), y.tolist(), strict=True):
        weights = [math.exp(value) for value in row]
        confidence = max(weights) / sum(weights)
        place = next(b for b in range(bins) if confidence <= (b + 1) / bins or b == bins - 1)
        gaps[place] += (row.index(max(row)) == label) - confidence
    expected = sum(abs(gap) for gap in gaps) / 200
    assert expected_calibration_error(logits, y, bins) == pytest.approx(expected, abs=1e-12)
    assert expected_calibration_error(1e6 * torch.eye(4), torch.arange(4), bins) == 0.0


def test_balanced_accuracy_and_the_worst_class_are_mean_and_least_recall_of_classes_that_occur() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, y = torch.randn(40, 5, generator=generator), torch.randint(4, (40,), generator=generator)
    recalls = []
    for label in sorted(set(y.tolist())):
        rows = [row for row in range(40) if int(y[row]) == label]
        recalls.append(sum(int(logits[row].argmax()) == label for row in rows) / len(rows))
    assert balanced_accuracy(logits, y) == pytest.approx(sum(recalls) / len(recalls), abs=1e-12)
    assert worst_class_accuracy(logits, y) == min(recalls)
