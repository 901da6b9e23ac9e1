import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.methods import FFG2M, Targets
from graphkd.methods.base import Student
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, tables

METHOD = FFG2M(lam=0.3, tau=1.4)


def numbered(edges: torch.Tensor) -> Graph:
    """A graph whose features are the numbers of its nodes."""
    return graph_of(edges, 6, torch.arange(6.0).unsqueeze(1))


def knows(logits: torch.Tensor) -> Student:
    """A student that has the logits of every node by heart."""
    return lambda inputs: StudentOutput(logits[inputs[:, 0].long()], [])


def formula(z: torch.Tensor, teacher: torch.Tensor, graph: Graph, edges: torch.Tensor) -> torch.Tensor:
    label = literal.label_loss(z, graph.y, graph.train, torch.ones(6))
    low = literal.edge_loss(z, teacher, edges, 1.0, torch.ones(6), "reference")
    return 0.3 * label + 0.7 * (low + formulas.high_frequency_loss(z, teacher, edges, 1.4))


@given(edges=edge_lists(6), teacher=tables(6, 4), student=tables(6, 4))
def test_the_whole_method_equals_its_formula(
    edges: torch.Tensor, teacher: torch.Tensor, student: torch.Tensor
) -> None:
    graph = numbered(edges)
    targets = METHOD.prepare(graph, TeacherOutput(teacher))
    assert_same_loss(
        lambda z: METHOD.training_step(knows(z), targets)["loss"],
        lambda z: formula(z, teacher, graph, edges),
        student,
        scale=2.0,
        tolerance=1e-10,
    )
    assert targets.inputs is graph.x


@given(
    edges=edge_lists(6),
    teacher=tables(6, 4),
    student=tables(6, 4),
    order=st.permutations(range(6)),
    size=st.integers(1, 5),
)
def test_batches_have_the_loss_and_the_gradient_of_the_formula_in_the_mean(
    edges: torch.Tensor, teacher: torch.Tensor, student: torch.Tensor, order: list[int], size: int
) -> None:
    """``Σ_b B_b / N loss_b``, each batch with its rows' edges and their senders' rows."""
    graph = numbered(edges)
    targets = METHOD.prepare(graph, TeacherOutput(teacher))

    def in_batches(z: torch.Tensor) -> torch.Tensor:
        parts = [targets.select(part) for part in torch.tensor(order).split(size)]
        losses = [METHOD.training_step(knows(z), part)["loss"] * part.num_rows / 6 for part in parts]
        return torch.stack(losses).sum()

    assert_same_loss(in_batches, lambda z: formula(z, teacher, graph, edges), student, scale=2.0, tolerance=1e-10)


def test_both_ends_of_an_edge_get_a_gradient() -> None:
    edges = torch.tensor([[1], [0]])
    targets = FFG2M(lam=0.0).prepare(numbered(edges), TeacherOutput(torch.eye(6, 4).double()))
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    FFG2M(lam=0.0).training_step(knows(z), targets)["high"].backward()
    assert z.grad[:2].abs().sum(dim=1).min() > 1e-3
    assert not z.grad[2:].any()


def test_terms_are_those_of_the_formula() -> None:
    edges = torch.tensor([[0, 1, 2], [1, 2, 2]])
    teacher, z = (torch.randn(6, 4, generator=torch.Generator().manual_seed(k)).double() for k in range(2))
    terms = METHOD.training_step(knows(z), METHOD.prepare(numbered(edges), TeacherOutput(teacher)))
    assert set(terms) == {"loss", "label", "low", "high"}
    torch.testing.assert_close(terms["high"], formulas.high_frequency_loss(z, teacher, edges, 1.4))
    low = literal.edge_loss(z, teacher, edges, 1.0, torch.ones(6), "reference")
    torch.testing.assert_close(terms["low"], low)


def test_a_graph_without_edges_has_no_high_frequencies() -> None:
    graph = numbered(torch.zeros(2, 0).long())
    targets: Targets = METHOD.prepare(graph, TeacherOutput(torch.eye(6, 4)))
    assert float(METHOD.training_step(knows(torch.randn(6, 4)), targets)["high"]) == 0.0


@pytest.mark.parametrize(
    ("keys", "message"), [({"tau": 0.0}, "method.tau is 0.0"), ({"lam": -1}, "method.lam is -1")]
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        FFG2M(**keys)
