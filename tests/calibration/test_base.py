"""What calibrations leave alone, and where they refuse."""

import pytest

from graphkd import GraphKDError, calibration
from graphkd.calibration import CTKD, DTKD, DTS, FixedTemperature, NoCalibration, NormKD
from graphkd.methods import FFG2M, GLNN, KRD, AdaGMLP
from graphkd.registry import catalogue
from graphkd.testing.graphs import small_graph
from graphkd.testing.methods import teacher_output
from tests.calibration.inputs import attached, drawn


def test_none_leaves_logits_alone() -> None:
    z = drawn()
    for side in (NoCalibration().teacher, NoCalibration().student):
        assert side(z) is z


MOVING = {"cosine", "linear", "dts", "ctkd", "dtkd"}


@pytest.mark.parametrize("name", [name for name in catalogue(calibration) if name != "none"])
def test_only_those_that_move_say_so(name: str) -> None:
    part = catalogue(calibration)[name]()
    assert part.moves_targets == (name in MOVING)
    assert part.weighs_senders == (name == "normkd")
    assert part.per_row == (name == "dtkd")


@pytest.mark.parametrize(
    ("part", "method", "message"),
    [
        (DTKD(), KRD(), "calibration=dtkd has a temperature per node, which method=krd, whose targets mix nodes"),
        (CTKD(per_sample=True), KRD(), "calibration=ctkd has a temperature per node, which method=krd"),
        (DTKD(), FFG2M(), "calibration=dtkd has a temperature per node, which method=ff_g2m"),
        (NormKD(), AdaGMLP(), "calibration=normkd weights nodes in folded targets, and method=adagmlp compares"),
        (
            DTS(),
            FFG2M(),
            "calibration=dts .* method=ff_g2m compares logits by itself: set calibration.tau_squared",
        ),
        (FixedTemperature(tau_squared=True), AdaGMLP(), "set calibration.tau_squared=false"),
    ],
)
def test_targets_that_it_cannot_reach_are_refused(part, method, message: str) -> None:
    graph = small_graph()
    part.build(graph)
    with pytest.raises(GraphKDError, match=message) as caught:
        part.check(method.prepare(graph, teacher_output(graph)), method.name)
    assert "\n" not in str(caught.value)


def test_targets_that_it_reaches_are_taken() -> None:
    graph = small_graph()
    for part in (DTKD(), CTKD(per_sample=True), NormKD(), DTS()):
        part.build(graph)
        part.check(GLNN().prepare(graph, teacher_output(graph)), "glnn")
    for part in (DTS(tau_squared=False), FixedTemperature(), CTKD()):
        part.build(graph)
        part.check(FFG2M().prepare(graph, teacher_output(graph)), "ff_g2m")


def test_a_temperature_per_node_is_refused_by_a_loss_of_neighbours() -> None:
    _, targets, _ = attached(DTKD())
    with pytest.raises(
        GraphKDError, match="calibration=dtkd has a temperature per node, and this method compares"
    ):
        targets.soft_logits(drawn())


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("fixed", {"tau": 0}, "calibration.tau is 0: it must be a number above 0"),
        ("fixed", {"student_tau": "hot"}, "calibration.student_tau is hot: it must be a number above 0"),
        ("fixed", {"tau_squared": 1}, "calibration.tau_squared is 1: it must be true or false"),
        ("cosine", {"start": -1}, "calibration.start is -1: it must be a number above 0"),
        ("cosine", {"epochs": 0}, "calibration.epochs is 0: it must be a whole number, 1 or more"),
        ("linear", {"end": float("nan")}, "calibration.end is nan: it must be a number above 0"),
        ("linear", {"epochs": 1.5}, "calibration.epochs is 1.5: it must be a whole number"),
        ("dts", {"variant": "new"}, "calibration.variant is 'new': choose paper or monotone"),
        ("dts", {"least": 5.0}, "calibration.least is 5.0, above calibration.most=4.0: exchange them"),
        ("dts", {"momentum": 1}, r"calibration.momentum is 1: it must lie in \[0, 1\)"),
        ("dts", {"gain": -1}, "calibration.gain is -1: it must be a number, 0 or more"),
        ("ctkd", {"least": 0}, "calibration.least is 0"),
        ("ctkd", {"span": -1}, "calibration.span is -1"),
        ("ctkd", {"ramp": 0}, "calibration.ramp is 0"),
        ("ctkd", {"per_sample": "yes"}, "calibration.per_sample is yes: it must be true or false"),
        ("logit_standardization", {"tau": 0}, "calibration.tau is 0: it must be a number above 0"),
        ("normkd", {"tau": "wide"}, "calibration.tau is wide: it must be a number above 0"),
        ("dtkd", {"tau": -4}, "calibration.tau is -4: it must be a number above 0"),
    ],
)
def test_mistakes(name: str, keys: dict[str, object], message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        catalogue(calibration)[name](**keys)
