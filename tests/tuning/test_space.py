import pytest

from graphkd.config import composed, spec_from
from graphkd.methods import MLP
from graphkd.tuning.sampler import Sampler
from graphkd.tuning.space import ENCODERS, READS, Space
from tests.tiers import some_of

optuna = pytest.importorskip("optuna")
TEACHERS = [("teacher=sage", "teacher.hidden_dim=64"), ("teacher=gcn",)]


def drawn(space: Space, count: int) -> list[tuple[str, ...]]:
    sampler = Sampler(lambda trial: space.student(trial, TEACHERS), seed=0)
    return [overrides for overrides, _ in sampler.ask(0, [{}] * count)]


@pytest.mark.parametrize("reads", some_of(READS, 3))
def test_every_draw_is_a_config_whose_student_reads_no_more_than_it_may(reads: str) -> None:
    space = Space(encoders=READS[reads], weighs_classes=True)
    allowed = {"x": {"x"}, "positions": {"x", "x and positions"}}.get(reads)
    seen = set()
    for overrides in drawn(space, 5):
        spec = spec_from(composed(overrides))
        seen.add(spec.inputs.reads)
        assert isinstance(spec.method, MLP) == ("method=mlp" in overrides)
    assert allowed is None or seen <= allowed


def test_every_teacher_that_is_drawn_is_a_config() -> None:
    sampler = Sampler(Space().teacher, seed=0)
    for overrides, _ in sampler.ask(0, [{}] * 5):
        spec_from(composed(overrides))


def test_what_is_given_is_not_drawn() -> None:
    fixed = {"student.dropout": "0.3", "training.lr": "0.02", "matching": "none", "teacher": "sage"}
    space = Space(fixed=fixed)
    for overrides in drawn(space, 12):
        keys = [override.partition("=")[0] for override in overrides if override not in TEACHERS[0] + TEACHERS[1]]
        assert not set(keys) & set(fixed)
    sampler = Sampler(space.teacher, seed=0)
    ((overrides, _),) = sampler.ask(0, [{}])
    assert any(override.startswith("teacher.aggregator=") for override in overrides)


def test_a_plain_mlp_has_no_teacher() -> None:
    sampler = Sampler(lambda trial: Space().student(trial, TEACHERS), seed=0)
    ((overrides, params),) = sampler.ask(0, [{"method": "mlp"}])
    assert "method=mlp" in overrides
    assert "teachers" not in params
    assert not [override for override in overrides if override.startswith("teacher")]


def test_a_method_without_a_teacher_has_its_own_inputs_and_no_teacher() -> None:
    space = Space(encoders=READS["neighbours"], methods=("glnn", "cohop"), untaught=("cohop",))
    (start,) = [draws for draws in space.starts() if draws["method"] == "cohop"]
    sampler = Sampler(lambda trial: space.student(trial, TEACHERS), seed=0)
    ((overrides, params),) = sampler.ask(0, [start])
    spec = spec_from(composed(overrides))
    assert (spec.method.name, spec.inputs.reads) == ("cohop", "x and labels")
    assert "teachers" not in params
    assert "student.num_layers=1" in overrides


def test_every_encoder_has_a_name_that_some_student_may_read() -> None:
    assert {name for names in READS.values() for name in names} == set(ENCODERS) - {"positions_alone"}
