from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.influence.curvature import node_curvature
from graphkd.methods import G2MLP, Targets
from graphkd.methods.base import Student
from graphkd.methods.moments import EPSILON, closed_means, moments
from graphkd.sparse import Adjacency
from graphkd.students import MLP, Ensemble, StudentOutput
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, tables

RING = torch.stack([torch.arange(6), (torch.arange(6) + 1) % 6])


def numbered(edges: Tensor) -> Graph:
    """A graph whose features are the numbers of its nodes."""
    return graph_of(edges, 6, torch.arange(6.0).unsqueeze(1))


def knows(table: Tensor) -> Student:
    """A student that has every node's hidden layer, of 3 units, and logits by heart."""

    def student(inputs: Tensor) -> StudentOutput:
        rows = table[inputs[:, 0].long()]
        return StudentOutput(rows[:, 3:], [rows[:, :3]])

    return student


def prepared(method: G2MLP, edges: Tensor, teacher: Tensor) -> Targets:
    """Targets with edges in float64, of a teacher of 3 hidden units."""
    targets = method.prepare(numbered(edges), TeacherOutput(teacher[:, 3:], [teacher[:, :3], teacher[:, 3:]]))
    assert targets.edges is not None
    method.map = nn.Identity()
    return replace(targets, edges=closed_means(Adjacency(edges, 6)))


def distance(method: G2MLP, z: Tensor, teacher: Tensor, edges: Tensor) -> Tensor:
    """``W``, term by term."""
    curved = node_curvature(Adjacency(edges, 6), method.curvature).tolist()
    total = z.sum() * 0
    if method.parts != "logits":
        total = total + formulas.moment_distance(z[:, :3], teacher[:, :3], edges, curved, method.gamma_h, EPSILON)
    if method.parts != "hidden":
        total = total + formulas.moment_distance(z[:, 3:], teacher[:, 3:], edges, curved, -method.gamma_z, EPSILON)
    return total


@settings(max_examples=30)
@given(
    edges=edge_lists(6),
    teacher=tables(6, 7),
    student=tables(6, 7),
    parts=st.sampled_from(["both", "hidden", "logits"]),
    curvature=st.sampled_from(["ollivier", "forman"]),
)
def test_the_distance_of_moments_equals_its_formula(
    edges: Tensor, teacher: Tensor, student: Tensor, parts: str, curvature: str
) -> None:
    method = G2MLP(parts=parts, curvature=curvature, gamma_h=0.7, gamma_z=-0.4)
    targets = prepared(method, edges, teacher)
    student = student + 0.01 * torch.arange(42).view(6, 7)  # rows that differ: a root of 0 has no gradient
    assert_same_loss(
        lambda z: method.training_step(knows(z), targets)["moments"],
        lambda z: distance(method, z, teacher, edges),
        student,
        scale=10.0,
        tolerance=1e-8,
    )


@settings(max_examples=20)
@given(edges=edge_lists(6), teacher=tables(6, 7), student=tables(6, 7))
def test_the_whole_loss_has_the_share_as_the_value_of_its_second_term(
    edges: Tensor, teacher: Tensor, student: Tensor
) -> None:
    method = G2MLP(share=0.3)
    targets = prepared(method, edges, teacher)
    student = student + 0.01 * torch.arange(42).view(6, 7)

    def formula(z: Tensor) -> Tensor:
        apart = distance(method, z, teacher, edges)
        return literal.node_loss(z[:, 3:], teacher[:, 3:], 1.0) + 0.3 * apart / (apart.detach() + 1e-8)

    assert_same_loss(
        lambda z: method.training_step(knows(z), targets)["loss"], formula, student, scale=2.0, tolerance=1e-8
    )
    assert formula(student).item() - literal.node_loss(student[:, 3:], teacher[:, 3:], 1.0).item() <= 0.3


@settings(max_examples=20)
@given(edges=edge_lists(6), teacher=tables(6, 7), student=tables(6, 7), order=st.permutations(range(6)))
def test_batches_have_the_moments_of_whole_neighbourhoods(
    edges: Tensor, teacher: Tensor, student: Tensor, order: list[int]
) -> None:
    targets = prepared(G2MLP(), edges, teacher)
    method = G2MLP()
    method.map = nn.Identity()
    whole = method.training_step(knows(student), targets)["moments"]
    batches = [targets.select(part) for part in torch.tensor(order).split(4)]
    parts = [method.training_step(knows(student), batch)["moments"] * batch.num_rows / 6 for batch in batches]
    torch.testing.assert_close(torch.stack(parts).sum(), whole)


def test_variances_survive_rows_far_from_zero_in_single_precision() -> None:
    rows = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    means = closed_means(small_graph().adj)
    _, expected = moments(means, rows.double())
    _, found = moments(means.to(torch.float32), rows + 1000)
    torch.testing.assert_close(found, expected.float(), rtol=1e-2, atol=1e-3)


def started(method: G2MLP, student: nn.Module) -> nn.Module:
    teacher = TeacherOutput(torch.eye(6, 4), [torch.eye(6, 3), torch.eye(6, 4)])
    return method.build(lambda: student, method.prepare(numbered(RING), teacher), teacher)


def test_a_map_of_the_hidden_layer_is_learned_beside_the_student() -> None:
    method = G2MLP(transform="student")
    student = started(method, MLP(1, 3, 4))
    assert [tuple(each.shape) for each in method.parameters()] == [(3, 3), (3,)]
    (group,) = method.param_groups(student, 0.1)
    assert len(group["params"]) == len(list(student.parameters())) + 2
    teacher = TeacherOutput(torch.eye(6, 4), [torch.eye(6, 3), torch.eye(6, 4)])
    method.training_step(student, method.prepare(numbered(RING), teacher))["moments"].backward()
    assert all(each.grad is not None for each in method.parameters())
    assert not list(G2MLP().parameters())


def test_hidden_layers_of_another_width_are_refused() -> None:
    for student in (MLP(1, 5, 4), MLP(1, 5, 4, num_layers=1), Ensemble(1, 3, 4)):
        with pytest.raises(GraphKDError, match="and 3 in the teacher: give both the same hidden_dim"):
            started(G2MLP(), student)
        assert started(G2MLP(parts="logits"), student) is student


def test_a_teacher_without_a_hidden_layer_is_refused_unless_logits_are_compared() -> None:
    alone = TeacherOutput(torch.eye(6, 4))
    with pytest.raises(GraphKDError, match="two layers or more, or set method.parts=logits"):
        G2MLP().prepare(numbered(RING), alone)
    assert set(G2MLP(parts="logits").prepare(numbered(RING), alone).tables) == {
        "logits_mean", "logits_deviation", "logits_weight",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"share": -1}, "method.share is -1"),
        ({"gamma_h": 1e9}, "method.gamma_h is 1000000000.0: it must be a number from −100 to 100"),
        ({"gamma_z": "x"}, "method.gamma_z is x"),
        ({"parts": "all"}, "method.parts is 'all': choose both or hidden or logits"),
        ({"curvature": "gauss"}, "method.curvature is 'gauss': choose ollivier or forman"),
        ({"transform": "both"}, "method.transform is 'both': choose none or student"),
        ({"transform": "student", "parts": "logits"}, "which parts=logits leaves out"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        G2MLP(**keys)
