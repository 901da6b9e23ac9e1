"""Standardised logits against loops, with three classes and with equal logits."""

import pytest
import torch

from graphkd.calibration import LogitStandardization
from tests.calibration import formulas
from tests.calibration.inputs import attached, drawn


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_rows_have_mean_0_and_deviation_1(classes: int) -> None:
    part = LogitStandardization(tau=1.0)
    z = 5 * drawn(20, classes) + 3
    for side in (part.student, part.teacher):
        torch.testing.assert_close(side(z).mean(dim=1), torch.zeros(20).double(), rtol=0, atol=1e-12)
        torch.testing.assert_close(side(z).std(dim=1), torch.ones(20).double(), rtol=0, atol=1e-6)


def test_the_loss_is_that_of_a_loop_with_three_classes() -> None:
    _, targets, raw = attached(LogitStandardization())
    assert raw.shape[1] == 3
    z, total = drawn(raw.shape[0], 3, seed=1), 0.0
    for t, s in zip(raw.tolist(), z.tolist(), strict=True):
        total += formulas.kl(*(formulas.divided(row, 2.0 * formulas.deviation(row)) for row in (t, s)))
    assert float(targets.soft.loss(z)) == pytest.approx(4.0 * total / raw.shape[0], rel=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_equal_logits_have_a_finite_loss_and_gradient(classes: int) -> None:
    z = torch.ones(2, classes, requires_grad=True)
    torch.autograd.backward(LogitStandardization().student(z).log_softmax(1)[:, 0].sum())
    assert z.grad is not None
    assert bool(z.grad.isfinite().all())


def test_neither_shift_nor_scale_of_a_side_changes_the_loss() -> None:
    z = drawn(60, 3, seed=1)
    _, targets, raw = attached(LogitStandardization())
    _, moved, _ = attached(LogitStandardization(), 3 * raw - 7)
    torch.testing.assert_close(moved.soft.loss(9 * z + 2), targets.soft.loss(z), rtol=1e-5, atol=0)
