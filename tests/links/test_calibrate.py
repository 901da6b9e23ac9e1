"""The map to a logit is the penalised maximum of the likelihood."""

import pytest
import torch

from graphkd.links.calibrate import RIDGE, logistic_map


def test_the_derivatives_of_the_likelihood_are_zero() -> None:
    draw = torch.Generator().manual_seed(0)
    positive, negative = 5 + torch.randn(40, generator=draw), 3 + torch.randn(60, generator=draw)
    a, b = logistic_map(positive, negative)
    scores = torch.cat([positive, negative]).double()
    residual = (a * scores + b).sigmoid() - torch.cat([torch.ones(40), torch.zeros(60)]).double()
    deviation = float(scores.std(correction=0))
    standardised = (scores - scores.mean()) / deviation
    assert float(residual.mean()) == pytest.approx(0.0, abs=1e-9)
    assert float((residual * standardised).mean() + RIDGE * a * deviation) == pytest.approx(0.0, abs=1e-9)


def test_a_better_score_is_never_less_likely() -> None:
    a, _ = logistic_map(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0]))
    assert a > 0
