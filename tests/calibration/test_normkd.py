"""NormKD against loops, over nodes and over edges."""

import pytest
import torch

from graphkd.calibration import LogitStandardization, NormKD
from graphkd.methods.fold import edge_targets
from tests.calibration import formulas
from tests.calibration.inputs import attached, drawn


def test_the_loss_is_that_of_a_loop() -> None:
    _, targets, raw = attached(NormKD(tau=1.5))
    z, total = drawn(raw.shape[0], raw.shape[1], seed=1), 0.0
    for t, s in zip(raw.tolist(), z.tolist(), strict=True):
        theirs, ours = 1.5 * formulas.deviation(t), 1.5 * formulas.deviation(s)
        total += theirs**2 * formulas.kl(formulas.divided(t, theirs), formulas.divided(s, ours))
    assert float(targets.soft.loss(z)) == pytest.approx(total / raw.shape[0], rel=1e-9)


@pytest.mark.parametrize("reverse", [False, True])
def test_over_edges_the_senders_temperature_weighs(reverse: bool) -> None:
    part = NormKD()
    graph, _, raw = attached(part)
    edges = graph.adj.structure(self_loops=1).to(torch.float64)
    soft = edge_targets(part.teacher(raw), edges, 1.0, reverse)
    soft.refold(sender_weight=part.sender_weight(raw))
    z, total = drawn(raw.shape[0], raw.shape[1], seed=1), 0.0
    for i, j in zip(edges.row.tolist(), edges.col.tolist(), strict=True):
        theirs, ours = 2 * formulas.deviation(raw[j].tolist()), 2 * formulas.deviation(z[i].tolist())
        sides = formulas.divided(raw[j].tolist(), theirs), formulas.divided(z[i].tolist(), ours)
        total += theirs**2 * formulas.kl(*(sides[::-1] if reverse else sides))
    assert float(soft.loss(part.student(z))) == pytest.approx(total, rel=1e-9)


def test_its_distributions_are_those_of_standardised_logits() -> None:
    z = drawn()
    one, other = NormKD().student(z), LogitStandardization().student(z)
    torch.testing.assert_close(one.softmax(dim=1), other.softmax(dim=1), rtol=1e-12, atol=0)


def test_equal_logits_have_a_finite_gradient() -> None:
    z = torch.ones(2, 3, requires_grad=True)
    torch.autograd.backward(NormKD().student(z).log_softmax(1)[:, 0].sum())
    assert z.grad is not None
    assert bool(z.grad.isfinite().all())
