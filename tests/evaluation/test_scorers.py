import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from graphkd.evaluation import METRICS, STACKED, balanced_accuracy, brier_score, score, scorer
from tests.strategies import tables

LABELS = st.lists(st.integers(0, 3), min_size=15, max_size=15)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@given(logits=tables(15, 4), y=LABELS)
def test_balanced_accuracy_is_that_of_scikit_learn(logits: torch.Tensor, y: list[int]) -> None:
    expected = balanced_accuracy_score(y, logits.argmax(dim=1))
    assert balanced_accuracy(logits, torch.tensor(y)) == pytest.approx(expected, abs=1e-12)


@given(logits=tables(15, 4), y=LABELS)
def test_a_scorer_computes_what_the_metric_does(logits: torch.Tensor, y: list[int]) -> None:
    labels = torch.tensor(y)
    for metric in STACKED:
        assert float(scorer(metric, labels)(logits)) == pytest.approx(score(metric, logits, labels), abs=1e-12)


def test_several_models_are_scored_in_one_call_as_each_alone() -> None:
    logits, y = torch.randn(3, 50, 4), torch.randint(4, (3, 50))
    for metric in STACKED:
        alone = torch.stack([scorer(metric, labels)(each) for labels, each in zip(y, logits, strict=True)])
        assert torch.equal(scorer(metric, y)(logits), alone)
    assert set(STACKED) == set(METRICS) - {"roc_auc"}


@given(logits=tables(15, 4), y=LABELS)
def test_the_brier_score_is_that_of_a_loop(logits: torch.Tensor, y: list[int]) -> None:
    total = 0.0
    for row, label in zip(torch.softmax(logits.double(), dim=1).tolist(), y, strict=True):
        total += sum((p - (c == label)) ** 2 for c, p in enumerate(row))
    assert brier_score(logits, torch.tensor(y)) == pytest.approx(total / 15, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_a_scorer_never_waits_for_the_device(metric: str) -> None:
    found = scorer(metric, torch.tensor([0, 1, 1, 0]))
    for name, tensor in vars(found).items():
        setattr(found, name, tensor.to("meta"))  # where nothing can be read
    assert found(torch.zeros(4, 2, device="meta")).shape == ()
