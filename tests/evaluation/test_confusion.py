import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from graphkd.evaluation import ConfusionMatrix, macro_f1, worst_class_accuracy

LABELS = st.lists(st.integers(0, 4), min_size=20, max_size=20)


def one_hot(predicted: list[int], classes: int = 5) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(predicted), classes).float()


@given(y=LABELS, predicted=LABELS)
def test_counts_and_metrics_of_each_class_are_those_of_scikit_learn(y: list[int], predicted: list[int]) -> None:
    found = ConfusionMatrix.of(one_hot(predicted), torch.tensor(y))
    assert found.counts.tolist() == confusion_matrix(y, predicted, labels=range(5)).tolist()
    expected = precision_recall_fscore_support(y, predicted, labels=range(5), zero_division=0)
    for name, column in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert np.allclose(getattr(found, name), column, atol=1e-15)


@given(y=LABELS, predicted=LABELS)
def test_macro_f1_is_that_of_scikit_learn_to_the_bit(y: list[int], predicted: list[int]) -> None:
    expected = f1_score(y, predicted, average="macro", zero_division=0)
    assert macro_f1(one_hot(predicted), torch.tensor(y)) == expected


def test_the_worst_class_is_the_one_of_lowest_recall_among_those_that_occur() -> None:
    logits = one_hot([0, 0, 0, 1, 1, 3])
    assert worst_class_accuracy(logits, torch.tensor([0, 0, 1, 1, 1, 3])) == pytest.approx(2 / 3)


def test_a_class_that_occurs_and_is_no_prediction_is_found() -> None:
    found = ConfusionMatrix.of(one_hot([0, 0, 2, 2]), torch.tensor([0, 1, 1, 2]))
    assert found.never_predicted == [1]
    assert (found + found).counts.sum() == 8
    assert found.record["support"] == [1, 2, 1, 0, 0]
    assert found.record["predicted"] == [2, 0, 2, 0, 0]
    assert found.record["counts"] == found.counts.tolist()


def test_counts_of_many_classes_are_not_recorded() -> None:
    records = [ConfusionMatrix(np.zeros((classes, classes), dtype=np.int64)).record for classes in (50, 51)]
    assert ["counts" in record for record in records] == [True, False]
