import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.encoders import Propagated
from graphkd.methods import InfGraND
from graphkd.sparse import POOLINGS
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, tables

LOOPS = {"paper": 1, "reference": 2}


@given(
    edges=edge_lists(6),
    x=tables(6, 2),
    teacher=tables(6, 4),
    student=tables(6, 4),
    influence=tables(6, 1, low=0.0),
    variant=st.sampled_from(["paper", "reference"]),
    kl=st.sampled_from(["forward", "reverse"]),
    pooling=st.sampled_from(POOLINGS),
)
def test_the_whole_method_equals_its_formula(
    edges: torch.Tensor,
    x: torch.Tensor,
    teacher: torch.Tensor,
    student: torch.Tensor,
    influence: torch.Tensor,
    variant: str,
    kl: str,
    pooling: str,
) -> None:
    influence = influence[:, 0] / 3.0
    weights = {"delta1": 0.7, "delta2": 0.2, "gamma1": 0.9, "gamma2": 0.5}
    method = InfGraND(variant, lam=0.3, tau=1.4, hops=2, kl=kl, pooling=pooling, **weights)
    graph = graph_of(edges, 6, x, influence)
    assert method.encoder() == Propagated(2, LOOPS[variant], pooling)
    graph = graph.with_inputs(method.encoder().fit(graph).mix(graph.x, graph.adj))
    targets = method.prepare(graph, TeacherOutput(teacher))
    torch.testing.assert_close(targets.inputs, literal.pooled(x, edges, 2, LOOPS[variant], pooling))
    assert targets.inputs.shape[1] == method.encoder().width(x.shape[1])

    def formula(z: torch.Tensor) -> torch.Tensor:
        label = literal.label_loss(z, graph.y, graph.train, 0.7 + 0.2 * influence)
        soft = literal.edge_loss(z, teacher, edges, 1.4, 0.9 + 0.5 * influence, variant, reverse=kl == "reverse")
        return 0.3 * label + 0.7 * soft

    assert_same_loss(
        lambda z: method.loss(StudentOutput(z, []), targets)["loss"], formula, student, scale=1.5, tolerance=1e-10
    )


@given(student=tables(6, 4), order=st.permutations(range(6)))
def test_batches_estimate_the_whole_without_bias(student: torch.Tensor, order: list[int]) -> None:
    method = InfGraND()
    edges = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])
    targets = method.prepare(graph_of(edges, 6), TeacherOutput(torch.eye(6, 4).double()))
    whole = method.loss(StudentOutput(student, []), targets)["loss"]
    halves = torch.tensor(order).split(3)
    losses = [method.loss(StudentOutput(student[half], []), targets.select(half))["loss"] for half in halves]
    torch.testing.assert_close(sum(losses) / 2, whole, atol=1e-7, rtol=1e-5)


def test_without_influence_only_the_constant_weights_remain() -> None:
    edges, teacher = torch.tensor([[0], [1]]), TeacherOutput(torch.eye(6, 4))
    plain = InfGraND(delta2=0.0, gamma2=0.0).prepare(graph_of(edges, 6, influence=torch.rand(6)), teacher)
    none = InfGraND().prepare(graph_of(edges, 6), teacher)
    torch.testing.assert_close(plain.soft.table, none.soft.table)
    torch.testing.assert_close(plain.label_weight, none.label_weight)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"variant": "old"}, "method.variant is 'old': choose paper or reference"),
        ({"kl": "both"}, "method.kl is 'both'"),
        ({"hops": -1}, "method.hops is -1"),
        ({"pooling": "sum"}, "pooling is 'sum': choose one of mean, max, min, concat"),
        ({"gamma1": -5.0}, "method.gamma1 is -5.0"),
        ({"delta2": float("nan")}, "method.delta2 is nan"),
        ({"tau": float("inf")}, "method.tau is inf"),
        ({"lam": 1.5}, "method.lam is 1.5"),
        ({"tau": 0.0}, "method.tau is 0.0"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        InfGraND(**keys)
