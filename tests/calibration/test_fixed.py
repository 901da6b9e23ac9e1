"""Fixed temperatures against loops."""

import pytest
import torch

from graphkd.calibration import FixedTemperature
from tests.calibration import formulas
from tests.calibration.inputs import attached, drawn


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("student_tau", [None, 3.0])
def test_each_side_has_its_temperature(student_tau: float | None, squared: bool) -> None:
    _, targets, raw = attached(FixedTemperature(2.0, student_tau, squared))
    z, own = drawn(raw.shape[0], raw.shape[1], seed=1), student_tau or 2.0
    terms = [
        formulas.kl(formulas.divided(t, 2.0), formulas.divided(s, own))
        for t, s in zip(raw.tolist(), z.tolist(), strict=True)
    ]
    expected = (2.0 * own if squared else 1.0) * sum(terms) / len(terms)
    assert float(targets.soft.loss(z)) == pytest.approx(expected, rel=1e-12)


def test_a_temperature_of_1_is_none() -> None:
    _, targets, raw = attached(FixedTemperature(1.0, tau_squared=True))
    z = drawn(raw.shape[0], raw.shape[1], seed=1)
    expected = torch.nn.functional.kl_div(z.log_softmax(1), raw.softmax(1), reduction="batchmean")
    assert float(targets.soft.loss(z)) == pytest.approx(float(expected), rel=1e-12)
