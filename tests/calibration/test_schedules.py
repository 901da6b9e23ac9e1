"""Temperatures of cosine and linear schedules."""

import math

import pytest
import torch

from graphkd.calibration import CosineTemperature, LinearTemperature
from tests.calibration import formulas
from tests.calibration.inputs import attached, drawn, epoch

EPOCHS = (0, 3, 10, 25)


def test_a_cosine_goes_from_start_to_end() -> None:
    part = CosineTemperature(start=5.0, end=1.0, epochs=10)
    _, targets, raw = attached(part)
    for number in EPOCHS:
        part.on_epoch_start(epoch(number), targets, raw)
        share = 0.5 * (1 + math.cos(math.pi * min(number / 10, 1)))
        assert float(part.tau_now) == pytest.approx(1 + 4 * share, rel=1e-12)


def test_a_line_goes_from_start_to_end() -> None:
    part = LinearTemperature(start=5.0, end=1.0, epochs=10)
    _, targets, raw = attached(part)
    found = []
    for number in EPOCHS:
        part.on_epoch_start(epoch(number), targets, raw)
        found.append(float(part.tau_now))
    assert found == pytest.approx([5.0, 3.8, 1.0, 1.0], rel=1e-12)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("make", [CosineTemperature, LinearTemperature])
def test_both_sides_and_the_weight_follow_into_batches_that_are_there_already(make, squared: bool) -> None:
    part = make(start=4.0, end=2.0, epochs=2, tau_squared=squared)
    _, targets, raw = attached(part)
    table, batch = targets.soft.table, targets.batch(targets.inputs, lambda rows: rows, targets.num_rows)
    part.on_epoch_start(epoch(1), targets, raw)
    z = drawn(raw.shape[0], raw.shape[1], seed=1)
    terms = [
        formulas.kl(formulas.divided(t, 3.0), formulas.divided(s, 3.0))
        for t, s in zip(raw.tolist(), z.tolist(), strict=True)
    ]
    assert targets.soft.table is table
    expected = (9.0 if squared else 1.0) * sum(terms) / len(terms)
    assert float(batch.soft.loss(z)) == pytest.approx(expected, rel=1e-9)


def test_the_state_is_in_buffers() -> None:
    part = CosineTemperature()
    attached(part)
    assert set(part.state_dict()) == {"tau_now", "weight_now"}
    assert all(isinstance(each, torch.Tensor) for each in part.state_dict().values())
