"""DTKD against a loop, and where largest logits are not positive."""

import pytest
import torch

from graphkd.calibration import DTKD
from graphkd.calibration.dtkd import temperatures
from tests.calibration import formulas
from tests.calibration.inputs import attached, drawn, epoch


def test_the_loss_is_that_of_a_loop() -> None:
    part = DTKD(tau=4.0)
    _, targets, raw = attached(part)
    raw, z = raw.abs() + 0.1, drawn(raw.shape[0], raw.shape[1], seed=1).abs() + 0.1
    part.on_epoch_start(epoch(3, lambda: z), targets, raw)
    total = 0.0
    for t, s in zip(raw.tolist(), z.tolist(), strict=True):
        share = min(max(max(s) / (max(s) + max(t)), 0.05), 0.95)
        ours, theirs = 8.0 * share, 8.0 * (1 - share)
        total += ours * theirs * formulas.kl(formulas.divided(t, theirs), formulas.divided(s, ours))
    assert float(targets.soft.loss(z)) == pytest.approx(total / raw.shape[0], rel=1e-9)


def test_temperatures_stay_above_0_whatever_the_largest_logits_are() -> None:
    student = torch.tensor([[-5.0, -9.0], [0.0, 0.0], [3.0, 1.0], [-1.0, -2.0]])
    teacher = torch.tensor([[2.0, 0.0], [0.0, -1.0], [-4.0, -4.0], [-1.0, -2.0]])
    ours, theirs = temperatures(student, teacher, 4.0)
    assert ours.tolist() == pytest.approx([0.4, 4.0, 7.6, 4.0])
    assert (ours + theirs).tolist() == pytest.approx([8.0] * 4)


def test_rows_of_a_batch_keep_their_temperatures() -> None:
    part = DTKD()
    _, targets, raw = attached(part)
    z = drawn(raw.shape[0], raw.shape[1], seed=1)
    part.on_epoch_start(epoch(3, lambda: z), targets, raw)
    total = 0.0
    for rows in torch.arange(raw.shape[0]).split(7):
        batch = targets.select(rows)
        total += float(batch.soft.loss(z[rows], batch.scale)) * rows.numel() / raw.shape[0]
    assert total == pytest.approx(float(targets.soft.loss(z)), rel=1e-9)
