import functools

import pytest
import torch

import graphkd
from graphkd import GraphKDError, Training
from graphkd.matching import Forward, LayerAngles, Reverse
from graphkd.runs import Run
from graphkd.students import MLP
from graphkd.teachers import GCN, TeacherOutput
from graphkd.training.stages import student
from tests.conftest import make_data

SHORT = Training(max_epochs=5)
TEACHER = functools.partial(GCN, num_layers=4, hidden_dim=8)
STUDENT = functools.partial(MLP, num_layers=3, hidden_dim=8)


def trained(**keys) -> Run:
    parts = {
        "teacher": TEACHER,
        "student": STUDENT,
        "method": "glnn",
        "training": SHORT,
        "seed": 3,
        "baseline": False,
        **keys,
    }
    return graphkd.distill(make_data(), **parts)


@pytest.mark.parametrize("projection", ["auto", "linear", "random", "orthogonal"])
def test_before_is_the_state_that_training_began_with(projection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    starts, fit = [], student.fit

    def spy(stage, train_spec, *rest):
        task = train_spec.model
        with torch.no_grad():
            starts.append([layer.clone() for layer in task.eval().student(make_data().x).hidden])
            starts.append(task.terms[0].project_for(starts[0][1], 1, 2).clone())
        task.train()
        return fit(stage, train_spec, *rest)

    monkeypatch.setattr(student, "fit", spy)
    run = trained(matching=Reverse(projection=projection))
    found, task = run.angles(), run.result.distilled.task
    hops = run.result.teacher_result.output.hops[:-1]
    hidden = starts[0]
    own = LayerAngles.of([starts[1]], hops).cosines[0]
    assert found.pairs == [(0, 1), (0, 2), (1, 2)]
    assert found.depths == (2, 3)
    assert found.before.cosines.shape == (2, 3, 60)
    if projection == "auto":
        torch.testing.assert_close(found.before.cosines, LayerAngles.of(hidden, hops).cosines)
    # Under reverse, student layer 1 has a projection to teacher layer 1 only, through which it is seen by all.
    torch.testing.assert_close(found.before.cosines[1], own)
    with torch.no_grad():
        after = LayerAngles.of(task.student(make_data().x).hidden, hops, task.terms[0])
    torch.testing.assert_close(found.after.cosines, after.cosines)
    assert not torch.allclose(found.before.cosines, found.after.cosines)


def test_measuring_changes_neither_the_run_nor_the_generator() -> None:
    run = trained(matching="forward")
    before = {name: value.clone() for name, value in run.result.distilled.task.state_dict().items()}
    state = torch.get_rng_state()
    first, second = run.angles(), run.angles()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.before.cosines, second.before.cosines)
    assert torch.equal(first.after.cosines, second.after.cosines)
    assert all(torch.equal(value, before[name]) for name, value in run.result.distilled.task.state_dict().items())


@pytest.mark.parametrize("keys", [{"method": "infgrand"}, {"method": "mlp", "matching": "forward"}, {}])
def test_any_student_with_a_teacher_has_angles(keys: dict) -> None:
    found = trained(**keys).angles()
    assert bool(found.after.cosines.isfinite().all())
    assert found.nodes.tolist() == list(range(60))


def test_where_nodes_are_hidden_only_the_observed_ones_are_looked_at() -> None:
    found = trained(setting="production").angles()
    assert found.after.cosines.shape[2] == found.nodes.numel() == 60 - 4


def test_a_student_without_a_teacher_has_none() -> None:
    with pytest.raises(GraphKDError, match="a student of method=mlp has no teacher whose layers it could see"):
        trained(method="mlp").angles()


def test_widths_that_nothing_joins_are_one_line() -> None:
    run = trained(student=functools.partial(MLP, num_layers=3, hidden_dim=6))
    with pytest.raises(
        GraphKDError, match="have width 6, the teacher's 8, and no projection joins two of them: set matching"
    ):
        run.angles()


def test_a_given_teacher_s_hops_may_differ_in_width_which_leaves_angles_out() -> None:
    hops = [torch.randn(60, width) for width in (8, 8, 5)]
    logits = torch.randn(60, 3)
    teacher = TeacherOutput(logits, [*hops, logits])
    run = trained(teacher=teacher, matching=Forward(layers=[1, 2]))
    with pytest.warns(UserWarning, match="4 of 6 angles are left out: two teacher layers differ in width"):
        found = run.angles()
    assert found.after.left_out == [(0, (0, 2)), (0, (1, 2)), (1, (0, 2)), (1, (1, 2))]


def test_logits_alone_have_no_layers() -> None:
    with pytest.raises(GraphKDError, match="angles need two hidden layers of the teacher, but there are 0"):
        trained(teacher=torch.randn(60, 3)).angles()
