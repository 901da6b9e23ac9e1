"""DTS against a schedule that was computed by hand."""

import math

import pytest
import torch

from graphkd.calibration import DTS
from graphkd.calibration.dts import label_gap, scale_of, soft_gap
from tests.calibration import formulas
from tests.calibration.inputs import attached, drawn, epoch

LEAST, MOST = 2.0, 4.0


@pytest.mark.parametrize(
    ("gap", "scale"),
    [(-2.0, 1.0), (0.0, 1.0), (0.9, 1.0), (1.0, 1.35), (1.5, 1.35), (2.0, 2.0), (3.0, 1.5), (10.0, 10 / 9)],
)
def test_the_published_scale_acts_above_a_gap_of_1_and_falls(gap: float, scale: float) -> None:
    """``gap`` is the student's cross-entropy less the teacher's."""
    assert scale_of(-gap) == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize(
    ("share", "gap", "expected"),
    [(0.25, 0.5, 3.41421), (0.25, 2.0, 4.0), (0.5, 0.5, 2.0), (0.5, 1.5, 2.7), (0.5, 2.0, 4.0), (0.5, 5.0, 2.5)]
    + [(share, gap, 2.0) for share in (0.75, 1.0) for gap in (0.5, 5.0)],
)
def test_the_published_rule_without_momentum_has_the_values_of_the_table(
    share: float, gap: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = DTS(momentum=0.0)
    _, targets, raw = attached(part)
    monkeypatch.setattr("graphkd.calibration.dts.label_gap", lambda *_: -gap)
    part.on_epoch_start(epoch(int(100 * share), lambda: torch.zeros_like(raw)), targets, raw)
    assert float(part.tau_now) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("variant", ["paper", "monotone"])
def test_the_temperature_is_that_of_a_hand_made_schedule(variant: str) -> None:
    part = DTS(variant)
    graph, targets, raw = attached(part)
    labelled, temperature = graph.train.tolist(), 4.0
    for number in range(0, 100, 7):
        student = drawn(raw.shape[0], raw.shape[1], seed=number) * (1 + number / 20)
        part.on_epoch_start(epoch(number, lambda value=student: value), targets, raw)
        cosine = (1 + math.cos(math.pi * number / 100)) / 2
        if variant == "paper":
            losses = [
                sum(formulas.cross_entropy(z[v].tolist(), int(graph.y[v])) for v in labelled) / len(labelled)
                for z in (raw, student)
            ]
            gap = losses[1] - losses[0]
            scale = gap / (gap - 1)
            wanted = 4.0 * cosine * ((1.35 if scale > 2 else scale) if scale > 1 else 1.0)
        else:
            rest = [v for v in range(raw.shape[0]) if v not in labelled]
            gap = sum(formulas.kl(raw[v].tolist(), student[v].tolist()) for v in rest) / len(rest)
            wanted = LEAST + (MOST - LEAST) * cosine * (1 + gap / (1 + gap))
        temperature = 0.9 * temperature + 0.1 * min(max(wanted, LEAST), MOST)
        assert float(part.tau_now) == pytest.approx(temperature, rel=1e-9)
        assert float(part.weight) == pytest.approx(temperature**2, rel=1e-9)


def test_the_monotone_temperature_grows_with_the_gap() -> None:
    found = []
    for factor in (1.0, 0.5, 0.0, -1.0, -3.0):  # ever farther from the teacher
        part = DTS("monotone", momentum=0.0)
        _, targets, raw = attached(part)
        part.on_epoch_start(epoch(60, lambda z=factor * raw: z), targets, raw)
        found.append(float(part.tau_now))
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_a_student_that_knows_the_labels_by_heart_has_a_soft_gap_only() -> None:
    _, targets, raw = attached(DTS())
    heart = torch.nn.functional.one_hot(targets.labels, raw.shape[1]).double() * 20
    assert label_gap(heart, raw, targets) > 0  # the teacher's loss is the larger one: the published scale is 1
    assert scale_of(label_gap(heart, raw, targets)) == 1.0
    assert soft_gap(heart, raw, targets) > 0.5
