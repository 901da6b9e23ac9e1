import pytest
import torch

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from tests.conftest import make_data


def graph_of(num_unused: int = 0) -> Graph:
    data = make_data(num_nodes=90)
    for name in ("train_mask", "val_mask", "test_mask"):
        data[name][:num_unused] = False
    return Graph.from_data(data)


def dense(graph: Graph) -> torch.Tensor:
    return graph.adj.matrix.to_dense()


def test_transductive_hides_nothing() -> None:
    graph = graph_of()
    view = apply_setting(graph)
    assert view.observed is view.full
    assert view.hidden.numel() == 0
    assert torch.equal(view.nodes, torch.arange(90))


@pytest.mark.parametrize("setting", ["production", "inductive", "cold_start"])
def test_a_fifth_of_the_test_nodes_is_hidden_and_the_rest_keeps_its_edges(setting: str) -> None:
    graph = graph_of(num_unused=10)
    view = apply_setting(graph, setting, seed=3)
    hidden = view.hidden
    assert hidden.numel() == round(0.2 * graph.test.numel())
    assert set(hidden.tolist()) <= set(graph.test.tolist())
    outside = set(range(10)) if setting == "inductive" else set()
    assert set(view.nodes.tolist()) == set(range(90)) - set(hidden.tolist()) - outside
    observed, nodes = view.observed, view.nodes
    assert torch.equal(dense(observed), dense(graph)[nodes][:, nodes])
    assert torch.equal(observed.x, graph.x[nodes])
    assert torch.equal(observed.y, graph.y[nodes])
    for part in ("train", "val"):
        assert torch.equal(nodes[getattr(observed, part)], getattr(graph, part))
    assert set(nodes[observed.test].tolist()) == set(graph.test.tolist()) - set(hidden.tolist())


@pytest.mark.parametrize(
    ("tests", "hidden"),
    [(2, 1), (3, 1), (4, 1), (5, 1), (7, 1), (8, 2), (9, 2), (12, 2), (13, 3), (14, 3), (18, 4), (19, 4), (28, 6)],
)
def test_the_hidden_fifth_is_rounded_to_the_nearest(tests: int, hidden: int) -> None:
    data = make_data(num_nodes=90)
    data.test_mask[data.test_mask.nonzero()[tests:]] = False
    for setting in ("production", "inductive", "cold_start"):
        view = apply_setting(Graph.from_data(data), setting, seed=tests)
        assert (view.hidden.numel(), view.observed.test.numel()) == (hidden, tests - hidden)


def test_hidden_nodes_have_their_edges_at_the_evaluation_except_in_a_cold_start() -> None:
    graph = graph_of()
    for setting, has_edges in (("production", True), ("inductive", True), ("cold_start", False)):
        view = apply_setting(graph, setting)
        edges = dense(view.full)
        assert bool(edges[view.hidden].any()) == has_edges
        assert torch.equal(edges[view.nodes][:, view.nodes], dense(graph)[view.nodes][:, view.nodes])


def test_the_seed_draws_and_directed_edges_keep_their_direction() -> None:
    data = make_data()
    data.edge_index = data.edge_index[:, data.edge_index[0] < data.edge_index[1]]
    graph = Graph.from_data(data)
    one, same, other = (apply_setting(graph, "production", seed) for seed in (0, 0, 1))
    assert torch.equal(one.hidden, same.hidden)
    assert not torch.equal(one.hidden, other.hidden)
    assert torch.equal(dense(one.observed), dense(graph)[one.nodes][:, one.nodes])


def test_too_few_test_nodes_and_an_unknown_setting() -> None:
    data = make_data()
    data.test_mask[data.test_mask.nonzero()[1:]] = False
    graph = Graph.from_data(data)
    with pytest.raises(GraphKDError, match="there is only 1: give more test nodes, or use setting=transductive"):
        apply_setting(graph, "inductive")
    with pytest.raises(GraphKDError, match="unknown setting 'ind': "):
        apply_setting(graph, "ind")
