import pytest
import torch
from hypothesis import given

from graphkd.errors import GraphKDError
from graphkd.methods import GLNN, MLP, InfGraND
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


@pytest.mark.parametrize("pooling", ["mean", "max", "min", "concat"])
@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_beside_a_method_it_has_that_method_s_inputs(variant: str, pooling: str) -> None:
    graph = graph_of(torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]), 6)
    method, output = InfGraND(variant, hops=2, pooling=pooling), TeacherOutput(torch.zeros(6, 4))
    theirs, ours = (each.prepare(graph, output) for each in (method, MLP.beside(method)))
    assert torch.equal(theirs.inputs, ours.inputs)
    assert theirs.propagation == ours.propagation


def test_beside_a_method_of_raw_rows_it_reads_raw_rows() -> None:
    assert MLP.beside(GLNN()).propagation() == MLP().propagation()
    assert MLP.beside(GLNN()).propagation().reads == "x"


@pytest.mark.parametrize("keys", [{"hops": -1}, {"hops": 1.5}, {"self_loops": -1}, {"pooling": "sum"}])
def test_settings_outside_their_range(keys: dict[str, object]) -> None:
    with pytest.raises(GraphKDError, match=next(iter(keys))):
        MLP(**keys)
