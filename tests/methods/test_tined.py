from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.methods import TINED, Targets
from graphkd.methods.dirichlet import input_energies, row_energies
from graphkd.methods.fold import mean_of
from graphkd.methods.teacher_layers import teacher_layers
from graphkd.sparse import Adjacency
from graphkd.students import MLP, Ensemble
from graphkd.teachers import GAT, GCN, SAGE, Teacher, TeacherOutput
from graphkd.testing.graphs import small_graph
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables

RING = torch.stack([torch.arange(6), (torch.arange(6) + 1) % 6])
MAKE = {
    "sage gcn": lambda *sizes: SAGE(*sizes, aggregator="gcn", self_loops=2),
    "sage mean": lambda *sizes: SAGE(*sizes),
    "gcn": lambda *sizes: GCN(*sizes),
    "gat": lambda *sizes: GAT(*sizes, heads=2),
}


def teacher_of(kind: str, features: int, hidden: int, classes: int = 4) -> Teacher:
    """In evaluation mode and float64, with biases that are not zero."""
    torch.manual_seed(3)
    teacher = MAKE[kind](features, hidden, classes).double().eval()
    for name, parameter in teacher.named_parameters():
        if "bias" in name or "att" in name:
            nn.init.normal_(parameter)
    return teacher


def output_of(teacher: Teacher, graph: Graph) -> TeacherOutput:
    with torch.no_grad():
        return replace(teacher(graph.x, graph.adj).detach(), model=teacher)


def built(method: TINED, graph: Graph, teacher: Teacher, norm: str = "none") -> tuple[Targets, MLP]:
    """Targets and student, in float64."""
    output = output_of(teacher, graph)
    targets = method.prepare(graph, output)
    assert targets.edges is not None
    targets = replace(targets, edges=targets.edges.to(torch.float64))
    torch.manual_seed(0)
    hidden, classes = teacher.convs[0](graph.x, graph.adj).shape[1], output.logits.shape[1]
    student = method.build(
        lambda: MLP(targets.inputs.shape[1], hidden, classes, dropout=0.0, norm=norm).double(), targets, output
    )
    return targets, student.double()


@given(edges=edge_lists(6), h=tables(6, 4))
def test_the_energy_is_the_sum_over_edges_and_so_is_its_gradient(edges: Tensor, h: Tensor) -> None:
    pattern = mean_of(Adjacency(edges, 6).structure(self_loops=0))
    loops = int((pattern.row == pattern.col).sum())
    share = (pattern.nnz - loops) / max(pattern.nnz, 1)
    assert_same_loss(
        lambda each: row_energies(pattern, each).sum(),
        lambda each: share * formulas.dirichlet_energy(each, edges),
        h,
        scale=1.0,
        tolerance=1e-10,
    )


@given(edges=edge_lists(6), x=tables(6, 4), rows=st.permutations(range(6)))
def test_energies_of_sparse_inputs_and_of_batches_are_the_same(edges: Tensor, x: Tensor, rows: list[int]) -> None:
    pattern = mean_of(Adjacency(edges, 6).structure(self_loops=0))
    whole = row_energies(pattern, x)
    torch.testing.assert_close(input_energies(pattern, sparse(x)), whole)
    torch.testing.assert_close(input_energies(pattern, x), whole)
    for part in torch.tensor(rows).split(4):
        torch.testing.assert_close(row_energies(pattern.select(part), x, part), whole[part])


def operations(teacher: Teacher, kind: str, x: Tensor, edges: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Before and after each of the teacher's operations, by dense matrices, for widths that shrink or grow."""
    loops = {"sage gcn": 2.0, "sage mean": None, "gcn": 1.0}[kind]
    matrix = literal.dense_adjacency(edges, 6, loops)
    if kind == "gcn":
        matrix = literal.symmetric(edges, 6, loops)
    else:
        degree = matrix.sum(dim=1, keepdim=True)
        matrix = torch.where(degree > 0, matrix / degree.clamp_min(1e-300), 0.0)
    found, h = [], x.double()
    for k, conv in enumerate(teacher.convs):
        maps = (
            [conv.linear] if kind == "gcn" else [conv.lin_neigh, *([conv.lin_self] if kind == "sage mean" else [])]
        )
        weight, bias = sum(each.weight for each in maps), maps[0].bias
        out = matrix @ h @ maps[0].weight.T + bias
        if kind == "sage mean":
            out = out + h @ maps[1].weight.T
        first = kind != "sage mean" and weight.shape[1] <= weight.shape[0]
        middle = matrix @ h if first else h @ weight.T + bias
        found += [(h, middle), (middle, out)]
        h = torch.relu(out) if k + 1 < len(teacher.convs) else out
    return [(before.detach(), after.detach()) for before, after in found]


def student_operations(student: MLP, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    found, h = [], x
    for layer in student.layers:
        out = nn.functional.linear(h, layer.weight, layer.bias)
        found.append((h, out))
        h = torch.relu(out)
    return found


def rounding_bound(first: tuple[Tensor, Tensor], edges: Tensor, energy: float) -> float:
    """Bounds the error of ``Σ (r − r')²`` that comes of edge weights in float32.

    A weight's relative error ``u = 2⁻²⁴`` is common to all energies but the inputs', so that only the first ratio
    ``R`` errs, by ``u R``: ``½ log R`` by ``u / 2``, ``√R`` by ``u √R / 2``, and the square by twice that times
    ``|r − r'| ≤ √energy``.
    """
    before, after = (float(formulas.dirichlet_energy(table.detach(), edges)) for table in first)
    root = math.sqrt(after / before) if before > 1e-8 else 0.0
    return float(1e-9 + 2**-24 * math.sqrt(energy) * max(1.0, root))


@settings(max_examples=15)
@given(
    edges=edge_lists(6),
    x=tables(6, 4),
    kind=st.sampled_from(["sage gcn", "sage mean", "gcn"]),
    hidden=st.sampled_from([3, 5]),
    ratio=st.sampled_from(["log", "sqrt"]),
)
def test_the_whole_loss_equals_its_formula_and_so_does_its_gradient(
    edges: Tensor, x: Tensor, kind: str, hidden: int, ratio: str
) -> None:
    graph, method = graph_of(edges, 6, x), TINED(lam=0.3, beta=0.7, ratio=ratio, init="random", tau=1.4)
    teacher = teacher_of(kind, 4, hidden)
    targets, student = built(method, graph, teacher)
    terms = method.training_step(student, targets)
    mine = torch.autograd.grad(terms["loss"], list(student.parameters()))
    told = student_operations(student, x)
    logits, output = told[-1][1], output_of(teacher, graph)
    soft = literal.node_loss(logits, output.logits, 1.4)
    label = literal.label_loss(logits, graph.y, graph.train, torch.ones(6))
    energy = formulas.energy_ratio_loss(told, operations(teacher, kind, x, edges), edges, ratio)
    bound = rounding_bound(told[0], edges, float(energy.detach()))
    torch.testing.assert_close(terms["energy"], energy, rtol=1e-7, atol=bound)
    expected = 0.3 * label + 0.7 * soft + 0.7 * energy
    torch.testing.assert_close(terms["loss"], expected, rtol=1e-7, atol=bound)
    theirs = torch.autograd.grad(expected, list(student.parameters()))
    largest = max(float(each.abs().max()) for each in theirs)
    for one, two in zip(mine, theirs, strict=True):
        assert float((one - two).abs().max()) <= 1e-6 * max(largest, 1.0)


@pytest.mark.parametrize("kind", MAKE)
def test_what_is_injected_is_the_layer_where_all_neighbours_are_alike(kind: str) -> None:
    teacher, x = teacher_of(kind, 4, 6), torch.randn(1, 4).double().expand(6, 4)
    edges = RING if kind != "gcn" else torch.arange(6).repeat(2, 1)
    for layer in teacher_layers(teacher, "tined"):
        out = layer.conv(x, Adjacency(edges, 6))
        torch.testing.assert_close(nn.functional.linear(x, layer.weight, layer.bias), out)
        x = torch.randn(1, 6).double().expand(6, 6)


@pytest.mark.parametrize(
    ("kind", "sizes", "widths", "copies"),
    [
        ("sage gcn", (4, 3, 2), [4, 3, 3, 2, 2], [True, False, True, False]),
        ("gcn", (4, 4, 6), [4, 4, 4, 4, 6], [False, True, False, True]),
        ("sage mean", (2, 4, 6), [2, 4, 4, 6, 6], [True, False, True, False]),
        ("gat", (2, 4, 6), [2, 4, 4, 6, 6], [True, False, True, False]),
    ],
)
def test_layers_are_in_the_order_of_the_teacher(
    kind: str, sizes: tuple[int, int, int], widths: list[int], copies: list[bool]
) -> None:
    graph = graph_of(RING, 6, torch.randn(6, sizes[0]).double())
    method, teacher = TINED(lr_ratio=0.5), teacher_of(kind, *sizes)
    _, student = built(method, replace(graph, num_classes=sizes[2]), teacher)
    assert [student.layers[0].in_features, *(layer.out_features for layer in student.layers)] == widths
    given = [layer for layer, copy in zip(student.layers, copies, strict=True) if copy]
    for layer, source in zip(given, teacher_layers(teacher, "tined"), strict=True):
        torch.testing.assert_close(layer.weight, source.weight, rtol=1e-6, atol=1e-6)  # by way of float32
        torch.testing.assert_close(layer.bias, source.bias, rtol=1e-6, atol=1e-6)
    for layer, copy in zip(student.layers, copies, strict=True):
        if not copy:
            assert torch.equal(layer.weight, torch.eye(layer.in_features).double())
            assert not layer.bias.any()
    fast, slow = sorted(method.param_groups(student, 0.1), key=lambda group: -group["lr"])
    assert (fast["lr"], slow["lr"]) == (0.1, 0.05)
    assert {id(each) for each in slow["params"]} == {id(each) for layer in given for each in layer.parameters()}
    assert len(fast["params"]) + len(slow["params"]) == len(list(student.parameters()))


def test_wider_inputs_get_the_weights_in_their_first_columns() -> None:
    graph = graph_of(RING, 6, torch.randn(6, 4).double())
    wide, teacher = torch.cat([graph.x, torch.randn(6, 2).double()], dim=1), teacher_of("sage gcn", 4, 3)
    _, student = built(TINED(), replace(graph, encoded=wide), teacher)
    weight = student.layers[0].weight
    torch.testing.assert_close(weight[:, :4], teacher.convs[0].lin_neigh.weight, rtol=1e-6, atol=1e-6)
    assert weight[:, 4:].abs().min() > 0


def test_a_propagation_that_begins_at_random_is_no_identity() -> None:
    graph = graph_of(RING, 6, torch.randn(6, 4).double())
    _, student = built(TINED(init="random"), graph, teacher_of("sage gcn", 4, 3))
    assert student.layers[1].weight.abs().max() < 0.9


@pytest.mark.parametrize("edges", [torch.zeros(2, 0).long(), RING])
@pytest.mark.parametrize("x", [torch.zeros(6, 4), torch.ones(6, 4)])
def test_rows_that_do_not_differ_have_no_ratio_and_no_gradient_of_it(edges: Tensor, x: Tensor) -> None:
    targets, student = built(TINED(), graph_of(edges, 6, x.double()), teacher_of("sage mean", 4, 3))
    terms = TINED.training_step(_of(TINED(), targets, student), student, targets)
    assert terms["energy"].item() == 0.0
    gradients = torch.autograd.grad(terms["loss"], list(student.parameters()), allow_unused=True)
    assert all(each is None or bool(each.isfinite().all()) for each in gradients)


def _of(method: TINED, targets: Targets, student: MLP) -> TINED:
    """The method with buffers as though all operations of the teacher had a ratio."""
    method.register_buffer("has_ratio", torch.ones(len(student.layers), dtype=torch.bool))
    method.register_buffer("log_ratio", torch.zeros(len(student.layers)).double())
    return method


def test_drawn_edges_stand_for_all_in_the_mean() -> None:
    graph = small_graph()
    graph = replace(graph, x=graph.x.double())
    teacher = teacher_of("sage mean", 8, 6, 3)
    whole, half = TINED(), TINED(edges=0.5)
    targets, student = built(whole, graph, teacher)
    built(half, graph, teacher)
    torch.manual_seed(0)
    one, two = (half.training_step(student, targets)["energy"].item() for _ in range(2))
    expected = whole.training_step(student, targets)["energy"].item()
    assert one != two
    draws = [half.training_step(student, targets)["energy"].item() for _ in range(30)]
    assert sum(draws) / 30 == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"beta": -1}, "method.beta is -1"),
        ({"edges": 0.0}, "method.edges is 0.0"),
        ({"edges": 2}, "method.edges is 2"),
        ({"lr_ratio": 0.0}, "method.lr_ratio is 0.0"),
        ({"ratio": "root"}, "method.ratio is 'root': choose log or sqrt"),
        ({"init": 1}, "method.init is '1': choose identity or random"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        TINED(**keys)


def test_teachers_without_layers_and_students_of_another_shape_are_refused() -> None:
    graph, method = graph_of(RING, 6, torch.randn(6, 4).double()), TINED()
    teacher = teacher_of("gcn", 4, 5)
    output = output_of(teacher, graph)
    with pytest.raises(GraphKDError, match="was given its logits alone: choose teacher=sage, gcn or gat"):
        method.prepare(graph, replace(output, model=None))
    with pytest.raises(GraphKDError, match="was given Linear: choose"):
        method.prepare(graph, replace(output, model=nn.Linear(4, 4)))
    targets = method.prepare(graph, output)
    with pytest.raises(GraphKDError, match="use student=mlp"):
        method.build(lambda: Ensemble(4, 5, 4), targets, output)
    for student in (lambda: MLP(4, 6, 4), lambda: MLP(4, 5, 4, num_layers=3)):
        with pytest.raises(GraphKDError, match=r"hidden widths are \[5\].*give both the same hidden_dim"):
            method.build(student, targets, output)
    with pytest.raises(GraphKDError, match="read 4 columns, and the student's inputs have 2: choose encoder=raw"):
        method.build(lambda: MLP(2, 5, 4), replace(targets, inputs=graph.x[:, :2]), output)
