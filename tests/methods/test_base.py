from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from graphkd.methods import GLNN, KRD, MLP, AdaGMLP, Epoch, InfGraND, Method, Phase, SimMLP, Targets
from graphkd.methods.base import Student, stackable, trains_one_mlp
from graphkd.methods.fold import node_targets
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests.methods.twins import graph_of

Terms = dict[str, torch.Tensor]


def test_a_method_that_compiles_nothing_raises() -> None:
    with pytest.raises(NotImplementedError):
        Method(lam=0.0, tau=1.0).prepare(graph_of(torch.zeros(2, 0).long(), 6), TeacherOutput(torch.zeros(6, 4)))


class OwnLoss(GLNN):
    def loss(self, output: StudentOutput, batch: Targets) -> Terms:
        return super().loss(output, batch)


class OwnStep(GLNN):
    def training_step(self, student: Student, batch: Targets) -> Terms:
        return super().training_step(student, batch)


class OwnPhases(GLNN):
    def phases(self) -> tuple[Phase, ...]:
        return (Phase("first"), Phase("second"))


class Moving(GLNN):
    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        pass


class OwnGroups(GLNN):
    def param_groups(self, student: torch.nn.Module, lr: float) -> list[dict[str, Any]]:
        return super().param_groups(student, lr)


class OwnStudent(GLNN):
    def build(
        self, make: Callable[[], torch.nn.Module], targets: Targets, teacher: TeacherOutput
    ) -> torch.nn.Module:
        return make()


@pytest.mark.parametrize(
    ("method", "plain", "moves", "static", "one_mlp"),
    [
        (GLNN, True, False, True, True),
        (InfGraND, True, False, True, True),
        (MLP, True, False, True, True),
        (KRD, True, True, False, False),
        (AdaGMLP, False, False, False, False),
        (SimMLP, False, False, False, False),
        (OwnLoss, False, False, False, True),
        (OwnStep, False, False, False, False),
        (OwnPhases, False, False, False, False),
        (Moving, True, True, False, False),
        (OwnGroups, True, False, True, False),
        (OwnStudent, True, False, True, False),
    ],
)
def test_flags_are_derived_from_what_a_method_overrides(
    method: type[Method], plain: bool, moves: bool, static: bool, one_mlp: bool
) -> None:
    made = method()
    assert (made.is_plain, made.moves_targets, made.is_static) == (plain, moves, static)
    assert made.is_row_sum == plain
    assert trains_one_mlp(made) == one_mlp


class Declared(OwnStep):
    row_sum = True
    static_step = True


class Withdrawn(GLNN):
    row_sum = False
    static_step = False


class DeclaredMoving(Moving):
    static_step = True


def test_a_graph_never_holds_an_epoch_whose_targets_move_whatever_is_declared() -> None:
    """What runs before an epoch is no part of a recorded step."""
    assert not DeclaredMoving().is_static


def test_a_declaration_has_precedence_over_what_is_derived() -> None:
    assert Declared().is_row_sum
    assert Declared().is_static
    assert not Declared().is_plain
    assert not Withdrawn().is_row_sum
    assert not Withdrawn().is_static
    assert Withdrawn().is_plain


class Inheriting(Declared):
    pass


def test_what_a_parent_overrides_or_declares_counts() -> None:
    assert Inheriting().is_row_sum
    assert not Inheriting().is_plain


def test_a_method_that_overrides_forward_is_refused_when_its_class_is_made() -> None:
    with pytest.raises(TypeError, match="Old overrides forward, which nothing calls: override loss"):

        class Old(GLNN):
            def forward(self, output: StudentOutput, batch: Targets) -> Terms:
                return {}


def test_several_students_stack_only_where_the_step_is_plain_and_equal() -> None:
    targets = Targets(torch.eye(6), torch.zeros(6).long(), torch.ones(6), node_targets(torch.eye(6), 1.0))
    assert stackable([GLNN(), GLNN()], [targets, targets])
    assert not stackable([GLNN(), GLNN(lam=0.5)], [targets, targets])
    assert not stackable([OwnLoss(), OwnLoss()], [targets, targets])
    assert not stackable([OwnStep(), OwnStep()], [targets, targets])


def test_terms_are_weighted_as_label_and_rest() -> None:
    label, one, two = torch.tensor(1.0), torch.tensor(2.0), torch.tensor(5.0)
    terms = GLNN(lam=0.25).weighted(label, one=one, two=two)
    assert float(terms["loss"]) == 0.25 * 1.0 + 0.75 * 7.0
    assert (terms["label"], terms["one"], terms["two"]) == (label, one, two)


def test_by_default_student_and_method_train_in_one_group() -> None:
    class Shifted(GLNN):
        def __init__(self) -> None:
            super().__init__()
            self.shift = torch.nn.Parameter(torch.zeros(3))

    method, student = Shifted(), torch.nn.Linear(2, 3)
    (group,) = method.param_groups(student, 0.5)
    assert [id(each) for each in group["params"]] == [id(each) for each in (*student.parameters(), method.shift)]
    assert group["lr"] == 0.5
