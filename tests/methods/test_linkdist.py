from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.methods import CoLinkDist, LinkDist, Targets
from graphkd.methods.base import Student
from graphkd.methods.links import both_ways, random_links, squared_distance
from graphkd.sparse import SparseMatrix
from graphkd.students import MLP, StudentOutput
from graphkd.teachers import TeacherOutput
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, patterns, seeded, tables

LABELS = {0: 0, 1: 1, 2: 0}
"""The training nodes of ``graph_of``."""

RING = torch.tensor([[0, 1, 2, 3, 4, 5, 1, 2, 0], [1, 2, 3, 4, 5, 0, 0, 1, 3]])
NOTHING = TeacherOutput(torch.zeros(6, 4))


def numbered(edges: torch.Tensor) -> Graph:
    """A graph whose features are the numbers of its nodes."""
    return graph_of(edges, 6, torch.arange(6.0).unsqueeze(1))


def student_of(outputs: torch.Tensor) -> Student:
    """A student that has the outputs ``[y | s]`` of every node by heart."""

    def student(inputs: torch.Tensor) -> StudentOutput:
        y, s = outputs[inputs[:, 0].long()].chunk(2, dim=1)
        return StudentOutput(y, [s])

    return student


def started(method: LinkDist, edges: torch.Tensor) -> Targets:
    """Targets in float64, of a method whose second head returns the last hidden layer."""
    targets = method.prepare(numbered(edges), NOTHING)
    method.build(lambda: MLP(1, 4, 4, dropout=0.0), targets, NOTHING)
    method.head = torch.nn.Identity()
    assert targets.edges is not None
    return replace(targets, edges=targets.edges.to(torch.float64))


def has_labelled_end(edges: torch.Tensor) -> bool:
    return any(node in LABELS for pair in formulas.directed_edges(edges, 6) for node in pair)


def linkdist(outputs: torch.Tensor, edges: torch.Tensor, alpha: float | None = None) -> torch.Tensor:
    y, s = outputs.chunk(2, dim=1)
    pairs = formulas.directed_edges(edges, 6)
    share = formulas.unlabelled_share(pairs, LABELS) if alpha is None else alpha
    return share * formulas.link_loss(y, s, pairs) + formulas.link_label_loss(y, s, pairs, LABELS)


@settings(max_examples=40)
@given(edges=edge_lists(6), outputs=tables(6, 8), alpha=st.sampled_from([None, 0.0, 0.7]))
def test_linkdist_equals_a_loop_over_edges(
    edges: torch.Tensor, outputs: torch.Tensor, alpha: float | None
) -> None:
    assume(has_labelled_end(edges))
    method = LinkDist(alpha)
    targets = started(method, edges)
    assert_same_loss(
        lambda z: method.training_step(student_of(z), targets)["loss"],
        lambda z: linkdist(z, edges, alpha),
        outputs,
        scale=5.0,
        tolerance=1e-10,
    )


@settings(max_examples=40)
@given(edges=edge_lists(6), outputs=tables(6, 8), order=st.permutations(range(6)), size=st.integers(1, 5))
def test_batches_have_the_loss_and_the_gradient_of_the_formula_in_the_mean(
    edges: torch.Tensor, outputs: torch.Tensor, order: list[int], size: int
) -> None:
    assume(has_labelled_end(edges))
    method = LinkDist()
    targets = started(method, edges)

    def in_batches(z: torch.Tensor) -> torch.Tensor:
        parts = [targets.select(part) for part in torch.tensor(order).split(size)]
        losses = [method.training_step(student_of(z), part)["loss"] * part.num_rows / 6 for part in parts]
        return torch.stack(losses).sum()

    assert_same_loss(in_batches, lambda z: linkdist(z, edges), outputs, scale=5.0, tolerance=1e-10)


@settings(max_examples=40)
@given(edges=edge_lists(6), outputs=tables(6, 8), seed=st.integers(0, 99), beta=st.sampled_from([None, 0.1]))
def test_colinkdist_equals_a_loop_over_edges_and_drawn_nodes(
    edges: torch.Tensor, outputs: torch.Tensor, seed: int, beta: float | None
) -> None:
    assume(has_labelled_end(edges))
    method = CoLinkDist(beta=beta)
    targets = started(method, edges)
    torch.manual_seed(seed)
    drawn = random_links(targets.edges)
    pairs = list(zip(drawn.row.tolist(), drawn.col.tolist(), drawn.value.tolist(), strict=True))
    listed = formulas.directed_edges(edges, 6)
    alpha, known = formulas.unlabelled_share(listed, LABELS), 0.5  # three of six nodes
    ends = 1 - alpha
    total = known + ends if beta is None else beta
    betas = [total * known / (known + ends), total * ends / (known + ends)]

    def formula(z: torch.Tensor) -> torch.Tensor:
        y, s = z.chunk(2, dim=1)
        away = formulas.away_loss(y, s, listed, LABELS, pairs, alpha, betas[0])
        return linkdist(z, edges) - away + formulas.random_label_loss(y, s, LABELS, pairs, betas[1])

    def loss(z: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(seed)
        return method.training_step(student_of(z), targets)["loss"]

    assert_same_loss(loss, formula, outputs, scale=5.0, tolerance=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("size", [6, 3])
def test_random_terms_estimate_those_with_every_node_at_every_end(size: int) -> None:
    """Means over draws, and over random batches, lie within four standard errors of an exact sum."""
    method, times = CoLinkDist(), 500
    targets = started(method, RING)
    outputs = 2 * torch.randn(6, 8, generator=seeded(3), dtype=torch.float64)
    y, s = outputs.chunk(2, dim=1)
    listed = formulas.directed_edges(RING, 6)
    every = [(x, n, 1 / 5) for pair in listed for x in pair for n in range(6) if n != x]
    alpha = formulas.unlabelled_share(listed, LABELS)
    away = formulas.away_loss(y, s, listed, LABELS, every, alpha, 0.5)
    random = formulas.random_label_loss(y, s, LABELS, every, 1 - alpha)
    torch.manual_seed(0)
    draws = []
    for _ in range(times):
        batch = targets if size == 6 else targets.select(torch.randperm(6)[:size])
        terms = method.training_step(student_of(outputs), batch)
        draws.append([float(terms["away"]), float(terms["random"])])
    values = torch.tensor(draws, dtype=torch.float64)
    error = (values.mean(dim=0) - torch.stack([away, random])).abs()
    assert (error < 4 * values.std(dim=0) / times**0.5).all()


def test_random_nodes_are_the_other_rows_of_a_batch_and_each_as_often() -> None:
    links = both_ways(graph_of(RING, 6).adj.structure()).select(torch.tensor([1, 0, 4]))
    torch.manual_seed(0)
    count = torch.zeros(3, 3)
    for _ in range(300):
        drawn = random_links(links)
        assert drawn.shape == (3, 3)
        assert torch.equal(drawn.rowptr, links.rowptr)
        count += drawn.with_values(torch.ones(drawn.nnz)).to_dense()
    assert count.diagonal().tolist() == [0, 0, 0]
    times = count.sum(dim=1)
    assert (
        (count[~torch.eye(3).bool()].reshape(3, 2) - times.unsqueeze(1) / 2).abs() < 2 * times.sqrt()[:, None]
    ).all()


def test_a_batch_of_one_row_has_itself_alone() -> None:
    links = both_ways(graph_of(RING, 6).adj.structure()).select(torch.tensor([2]))
    assert set(random_links(links).col.tolist()) == {0}


@given(links=patterns(5, 7), own=tables(5, 3), other=tables(7, 3))
def test_distances_from_one_product_equal_a_loop(
    links: SparseMatrix, own: torch.Tensor, other: torch.Tensor
) -> None:
    links = links.with_values(1.0 + torch.arange(links.nnz).double())
    expected = sum(
        value * float(((own[x] - other[o]) ** 2).sum())
        for x, o, value in zip(links.row.tolist(), links.col.tolist(), links.value.tolist(), strict=True)
    )
    assert abs(float(squared_distance(links, own, other)) - expected) <= 1e-9 * max(expected, 1.0)


def test_every_edge_counts_in_both_directions() -> None:
    links = both_ways(graph_of(torch.tensor([[0, 1, 2, 3], [1, 2, 1, 3]]), 6).adj.structure(self_loops=0))
    expected = torch.zeros(6, 6)
    expected[0, 1] = expected[1, 0] = 1
    expected[1, 2] = expected[2, 1] = 2
    assert torch.equal(links.to_dense(), expected)
    assert links.t() is links


def test_the_second_head_trains_and_the_student_is_a_plain_mlp() -> None:
    method, graph = CoLinkDist(), numbered(RING)
    targets = method.prepare(graph, NOTHING)
    torch.manual_seed(0)
    student = method.build(lambda: MLP(1, 5, 4, num_layers=3), targets, NOTHING)
    assert type(student) is MLP
    method.training_step(student, targets)["loss"].backward()
    assert method.head.weight.shape == (4, 5)
    assert method.head.weight.grad.abs().max() > 0
    group = method.param_groups(student, 0.1)[0]["params"]
    assert any(parameter is method.head.weight for parameter in group)
    assert not method.state_dict().keys() - {"head.weight", "head.bias"}


def test_labelled_nodes_without_an_edge_and_classes_without_an_end_are_left_out() -> None:
    """Only node 1 has an edge and a label."""
    edges = torch.tensor([[1, 4], [3, 5]])
    targets = started(LinkDist(), edges)
    assert targets.label_weight.nonzero().tolist() == [[1]]
    assert float(targets.label_weight[1]) == pytest.approx(2.0)
    assert LinkDist().prepare(numbered(edges), NOTHING).tables["end_weight"].isfinite().all()


@pytest.mark.parametrize("method", [LinkDist, CoLinkDist])
def test_training_nodes_without_edges_are_refused(method: type[LinkDist]) -> None:
    line = (
        f"method={method.name} reads labels at the ends of edges, but no training node has an edge: use method=mlp"
    )
    with pytest.raises(GraphKDError, match=line):
        method().prepare(numbered(torch.tensor([[3, 4], [4, 5]])), NOTHING)


def test_a_student_without_a_hidden_layer_is_refused() -> None:
    targets = LinkDist().prepare(numbered(RING), NOTHING)
    with pytest.raises(GraphKDError, match="use student.num_layers=2 or more"):
        LinkDist().build(lambda: MLP(1, 5, 4, num_layers=1), targets, NOTHING)


@settings(max_examples=10)
@given(edges=edge_lists(6))
def test_labels_of_other_nodes_are_not_read(edges: torch.Tensor) -> None:
    assume(has_labelled_end(edges))
    method = CoLinkDist()
    targets = started(method, edges)
    labels = targets.labels.clone()
    labels[3:] = torch.tensor([2, 3, -1])
    outputs = torch.randn(6, 8, generator=seeded(0), dtype=torch.float64)

    def loss(made: Targets) -> torch.Tensor:
        torch.manual_seed(0)
        return method.training_step(student_of(outputs), made)["loss"]

    assert torch.equal(loss(targets), loss(replace(targets, labels=labels)))


@pytest.mark.parametrize(
    ("method", "keys", "message"),
    [
        (LinkDist, {"alpha": 1.5}, "method.alpha is 1.5: it must lie in"),
        (CoLinkDist, {"alpha": -0.1}, "method.alpha is -0.1: it must lie in"),
        (CoLinkDist, {"beta": -1.0}, "method.beta is -1.0: it must be a number, 0 or more"),
        (CoLinkDist, {"beta": "much"}, "method.beta is much: it must be a number"),
    ],
)
def test_bad_settings_are_refused(method: type[LinkDist], keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        method(**keys)
