"""CTKD: temperatures whose gradient is turned around, one or per node."""

import pytest
import torch

from graphkd.calibration import CTKD
from tests.calibration import formulas
from tests.calibration.inputs import attached, drawn, epoch


def student_of(raw: torch.Tensor) -> torch.Tensor:
    return drawn(raw.shape[0], raw.shape[1], seed=3)


def test_the_global_gradient_is_reversed() -> None:
    part, z = CTKD(ramp=10), drawn()
    _, targets, raw = attached(part)
    assert float(part.temperature.detach()) == 2.0
    part.on_epoch_start(epoch(10), targets, raw)
    torch.autograd.backward(part.student(z).pow(2).sum())
    straight = -2 * float(z.pow(2).sum()) / 2.0**3 * 2 * 0.25  # dT/dθ = span σ(1 − σ)
    assert float(part.theta.grad) == pytest.approx(-straight, rel=1e-5)


@pytest.mark.parametrize("per_sample", [False, True])
def test_gradients_are_those_of_finite_differences_turned_around(per_sample: bool) -> None:
    part = CTKD(strength=0.7, ramp=10, per_sample=per_sample).double()
    torch.manual_seed(1)
    _, targets, raw = attached(part)
    part.double()
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    z = student_of(raw)
    with torch.no_grad():
        part.on_epoch_start(epoch(10, lambda: z), targets, raw)
    torch.autograd.backward(targets.soft.loss(z))
    for parameter in part.parameters():
        flat, gradient = parameter.data.view(-1), parameter.grad.view(-1)
        for entry in range(0, flat.numel(), 1 + flat.numel() // 5):
            sides = []
            for step in (1e-6, -1e-6):
                flat[entry] += step
                sides.append(float(targets.soft.loss(z).detach()))
                flat[entry] -= step
            straight = (sides[0] - sides[1]) / 2e-6
            assert float(gradient[entry]) == pytest.approx(-0.7 * straight, rel=1e-5, abs=1e-9)


def test_the_reversal_grows_over_the_ramp() -> None:
    part = CTKD(strength=3.0, ramp=10)
    _, targets, raw = attached(part)
    found = []
    for number in (0, 5, 10, 50):
        part.on_epoch_start(epoch(number), targets, raw)
        found.append(float(part.reversal))
    assert found == pytest.approx([0.0, 1.5, 3.0, 3.0], abs=1e-6)


def test_an_epoch_folds_the_teacher_at_its_temperature_into_the_same_memory() -> None:
    part = CTKD()
    graph, targets, raw = attached(part)
    table = targets.soft.table
    with torch.no_grad():
        part.theta.fill_(1.0)
        part.on_epoch_start(epoch(3), targets, raw)
    expected = torch.softmax(raw / float(part.temperature.detach()), dim=1) / graph.num_nodes
    assert targets.soft.table is table
    torch.testing.assert_close(table, expected, rtol=1e-6, atol=1e-9)


@torch.no_grad()
def test_temperatures_per_node_are_those_of_a_loop() -> None:
    part = CTKD(per_sample=True)
    _, targets, raw = attached(part)
    part.double()
    torch.nn.init.normal_(part.network[2].weight, generator=torch.Generator().manual_seed(0))
    z = student_of(raw)
    part.on_epoch_start(epoch(3, lambda: z), targets, raw)
    total, seen = 0.0, set()
    for t, s in zip(raw.tolist(), z.tolist(), strict=True):
        row = torch.tensor(formulas.softmax(t) + formulas.softmax(s), dtype=torch.float64)
        hidden = (part.network[0].weight @ row + part.network[0].bias).clamp_min(0)
        theta = part.network[2].weight[0] @ hidden + part.network[2].bias[0]
        temperature = 1.0 + 2.0 / (1.0 + float(torch.exp(-theta)))
        seen.add(round(temperature, 6))
        total += formulas.kl(formulas.divided(t, temperature), formulas.divided(s, temperature))
    assert len(seen) > 10
    assert float(targets.soft.loss(z)) == pytest.approx(total / raw.shape[0], rel=1e-9)


def test_per_node_all_start_with_the_global_temperature() -> None:
    z = drawn(60, 3)
    _, one, _ = attached(CTKD())
    part = CTKD(per_sample=True)
    _, each, raw = attached(part)
    part.double()
    torch.testing.assert_close(each.soft.table, one.soft.table)
    with torch.no_grad():
        part.on_epoch_start(epoch(0, lambda: z), each, raw)
    torch.testing.assert_close(each.soft.loss(z).detach(), one.soft.loss(z).detach())
