"""Calibrations against their formulas, in float64."""

import math

import pytest
import torch

from graphkd import GraphKDError
from graphkd.calibration import CurriculumTemperature, NoCalibration, Standardized
from graphkd.methods import GLNN, Epoch
from graphkd.testing.graphs import small_graph
from graphkd.testing.methods import teacher_output

CPU = torch.device("cpu")


def drawn(rows: int = 5, classes: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, classes, generator=generator, dtype=torch.float64)


def epoch(number: int) -> Epoch:
    return Epoch(number, 100, 0, CPU, lambda: torch.zeros(0))


def test_none_leaves_logits_alone() -> None:
    z = drawn()
    for side in (NoCalibration().teacher, NoCalibration().student):
        assert side(z) is z


def test_standardized_rows_have_mean_0_and_the_scale_for_a_deviation() -> None:
    z = drawn()
    for found in (Standardized(2.0).student(z), Standardized(2.0).teacher(z)):
        for row, expected in zip(found.tolist(), z.tolist(), strict=True):
            mean = sum(expected) / len(expected)
            std = math.sqrt(sum((entry - mean) ** 2 for entry in expected) / len(expected))
            for one, other in zip(row, expected, strict=True):
                assert one == pytest.approx(2 * (other - mean) / (std + 1e-7), rel=1e-9)


def test_standardized_rows_of_equal_logits_have_finite_gradients() -> None:
    z = torch.ones(2, 3, requires_grad=True)
    torch.autograd.backward(Standardized().student(z)[:, 0].sum())
    assert z.grad is not None
    assert bool(z.grad.isfinite().all())


def test_the_temperature_starts_where_the_teacher_was_folded_and_its_gradient_is_reversed() -> None:
    part, z = CurriculumTemperature(least=1.0, span=2.0, ramp=10), drawn()
    before = part.teacher(z)
    part.build(small_graph())
    assert torch.equal(before, part.teacher(z))
    assert float(part.temperature) == 2.0
    graph = small_graph()
    targets = GLNN(lam=0.5).prepare(graph, teacher_output(graph))
    part.on_epoch_start(epoch(10), targets, targets.soft.fold.logits)
    torch.autograd.backward(part.student(z).pow(2).sum())
    temperature = 2.0
    straight = -2 * float(z.pow(2).sum()) / temperature**3 * 2 * 0.25  # dT/dθ = span σ(1 − σ)
    assert float(part.theta.grad) == pytest.approx(-straight, rel=1e-5)


def test_the_reversal_grows_over_the_ramp() -> None:
    graph, part = small_graph(), CurriculumTemperature(strength=3.0, ramp=10)
    part.build(graph)
    targets = GLNN().prepare(graph, teacher_output(graph))
    found = []
    for number in (0, 5, 10, 50):
        part.on_epoch_start(epoch(number), targets, targets.soft.fold.logits)
        found.append(float(part.reversal))
    assert found == pytest.approx([0.0, 1.5, 3.0, 3.0], abs=1e-6)


def test_an_epoch_folds_the_teacher_at_its_temperature_into_the_same_memory() -> None:
    graph, part = small_graph(), CurriculumTemperature()
    part.build(graph)
    raw = teacher_output(graph).logits
    targets = GLNN().prepare(graph, teacher_output(graph))
    table = targets.soft.table
    with torch.no_grad():
        part.theta.fill_(1.0)
        part.on_epoch_start(epoch(3), targets, raw)
    expected = torch.softmax(raw.double() / float(part.temperature), dim=1) / graph.num_nodes
    assert targets.soft.table is table
    torch.testing.assert_close(table.double(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Standardized(0), "calibration.scale is 0: it must be a number above 0"),
        (lambda: CurriculumTemperature(least=0), "calibration.least is 0"),
        (lambda: CurriculumTemperature(span=-1), "calibration.span is -1"),
        (lambda: CurriculumTemperature(ramp=0), "calibration.ramp is 0"),
    ],
)
def test_mistakes(make, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        make()
