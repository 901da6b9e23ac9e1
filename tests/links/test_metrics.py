"""Metrics are their definitions, written as loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.links.metrics import auc, average_precision, hits_at_k, link_metrics, mrr

# Few distinct values: ties are common.
SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=12).map(lambda scores: torch.tensor(scores).float())


def literal_auc(positive: Tensor, negative: Tensor) -> float:
    wins = [float(p > n) + 0.5 * float(p == n) for p in positive for n in negative]
    return sum(wins) / len(wins)


def literal_hits(positive: Tensor, negative: Tensor, k: int) -> float:
    if len(negative) < k:
        return 1.0
    bar = sorted(negative.tolist(), reverse=True)[k - 1]
    return sum(score > bar for score in positive.tolist()) / len(positive)


def literal_mrr(positive: Tensor, negative: Tensor) -> float:
    total = 0.0
    for p in positive.tolist():
        optimistic = 1 + sum(n > p for n in negative.tolist())
        pessimistic = 1 + sum(n >= p for n in negative.tolist())
        total += 1 / ((optimistic + pessimistic) / 2)
    return total / len(positive)


@given(positive=SCORES, negative=SCORES, k=st.integers(1, 14))
@settings(max_examples=60, deadline=None)
def test_metrics_are_their_definitions(positive: Tensor, negative: Tensor, k: int) -> None:
    bound = 1e-12  # of sums of a dozen doubles
    assert auc(positive, negative) == pytest.approx(literal_auc(positive, negative), abs=bound)
    assert hits_at_k(positive, negative, k) == pytest.approx(literal_hits(positive, negative, k), abs=bound)
    assert mrr(positive, negative) == pytest.approx(literal_mrr(positive, negative), abs=bound)
    each = negative.repeat(len(positive), 1)
    assert mrr(positive, each) == pytest.approx(literal_mrr(positive, negative), abs=bound)
    truth = np.repeat([1, 0], [len(positive), len(negative)])
    scores = torch.cat([positive, negative]).numpy()
    assert auc(positive, negative) == pytest.approx(roc_auc_score(truth, scores), abs=bound)
    ap = average_precision_score(truth, scores)
    assert average_precision(positive, negative) == pytest.approx(ap, abs=bound)


def test_constant_scores_are_chance() -> None:
    same = link_metrics(torch.zeros(100), torch.zeros(100))
    assert same["auc"] == 0.5
    assert same["ap"] == 0.5
    assert same["hits@20"] == same["hits@50"] == 0.0
    assert same["mrr"] == pytest.approx(1 / 51)


WRONG = {
    "empty": (torch.zeros(0), torch.zeros(1), r"the positive scores must be \[P\]"),
    "table": (torch.zeros(1), torch.zeros(2, 2), r"the negative scores must be \[P\]"),
    "nan": (torch.zeros(1), torch.full((2,), float("nan")), "the negative scores hold NaN"),
}


@pytest.mark.parametrize("metric", [auc, average_precision, mrr, lambda p, n: hits_at_k(p, n, 1)])
@pytest.mark.parametrize("case", WRONG)
def test_scores_that_are_none_are_one_line(metric, case: str) -> None:
    positive, negative, message = WRONG[case]
    with pytest.raises(GraphKDError, match=message):
        metric(positive, negative)
    with pytest.raises(GraphKDError, match="links.k is 0"):
        hits_at_k(torch.zeros(1), torch.zeros(1), 0)
