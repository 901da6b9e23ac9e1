import torch
from hypothesis import given

from graphkd.methods import GLNN
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import tables


@given(teacher=tables(6, 4), student=tables(6, 4))
def test_the_whole_method_equals_its_formula(teacher: torch.Tensor, student: torch.Tensor) -> None:
    graph, method = graph_of(torch.zeros(2, 0).long(), 6), GLNN(lam=0.25, tau=2.0)
    targets = method.prepare(graph, TeacherOutput(teacher))

    def formula(z: torch.Tensor) -> torch.Tensor:
        label = literal.label_loss(z, graph.y, graph.train, torch.ones(6))
        return 0.25 * label + 0.75 * literal.node_loss(z, teacher, 2.0)

    assert_same_loss(
        lambda z: method.loss(StudentOutput(z, []), targets)["loss"], formula, student, scale=2.0, tolerance=1e-10
    )
    assert targets.inputs is graph.x
