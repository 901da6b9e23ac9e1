import torch
from hypothesis import given

from graphkd.methods import MLP
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods.twins import graph_of
from tests.strategies import tables


@given(student=tables(6, 4))
def test_it_is_the_mean_cross_entropy_of_the_labelled_nodes(student: torch.Tensor) -> None:
    graph = graph_of(torch.zeros(2, 0).long(), 6)
    targets = MLP().prepare(graph, TeacherOutput(torch.zeros(6, 4)))
    terms = MLP().loss(StudentOutput(student, []), targets)
    expected = literal.label_loss(student, graph.y, graph.train, torch.ones(6))
    torch.testing.assert_close(terms["loss"], expected, atol=1e-10, rtol=1e-10)
    assert set(terms) == {"loss", "label"}


def test_only_labelled_rows_take_part_in_training() -> None:
    graph = graph_of(torch.zeros(2, 0).long(), 6)
    targets = MLP().prepare(graph, TeacherOutput(torch.zeros(6, 4)))
    batch = targets.without_idle_rows()
    z = torch.randn(6, 4)
    assert batch.num_rows == 3
    torch.testing.assert_close(batch.label_loss(z[:3]), targets.label_loss(z))
