"""What nodes are compared by: each against its loop."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.datasets import Graph
from graphkd.influence import betweenness, kcore, pagerank, random_walk
from graphkd.influence import properties as module
from graphkd.influence.properties import KINDS, graph_properties, homophily, teacher_properties, typicality
from graphkd.sparse import Adjacency, SparseMatrix, as_features
from tests.conftest import make_data
from tests.strategies import edge_lists, tables


@pytest.fixture
def graph() -> Graph:
    return Graph.from_data(make_data())


@given(x=tables(7, 4), sparse=st.booleans())
def test_typicality_is_the_cosine_with_the_mean_of_unit_rows(x: torch.Tensor, sparse: bool) -> None:
    rows = [row / row.norm() if row.norm() > 0 else row for row in x]
    middle = sum(rows) / 7
    length = middle.norm()
    expected = [float(row @ middle / length) if length > 1e-12 * 7 else 0.0 for row in rows]
    found = typicality(as_features(x.to_sparse_csr()) if sparse else x)
    if not 1e-13 < length < 1e-9:  # in between, rounding has a say
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), atol=1e-5, rtol=0)


@settings(max_examples=15)
@given(edges=edge_lists(6), labels=st.lists(st.integers(-1, 2), min_size=6, max_size=6))
def test_homophily_counts_neighbours_with_known_labels(edges: torch.Tensor, labels: list[int]) -> None:
    y = torch.tensor(labels)
    graph = replace(Graph.from_data(make_data()), adj=Adjacency(edges, 6), y=y, x=torch.ones(6, 1))
    expected = []
    for node in range(6):
        heard = {sender for sender, receiver in edges.t().tolist() if receiver == node and sender != node}
        known = [labels[other] for other in heard if labels[other] >= 0]
        same = [label for label in known if label == labels[node]]
        expected.append(len(same) / len(known) if known and labels[node] >= 0 else torch.nan)
    found = graph_properties(graph)["homophily"]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), equal_nan=True)


def test_the_others_are_the_influences_of_their_names_and_counts(graph: Graph) -> None:
    found = graph_properties(graph)
    assert list(found) == [name for name, (kind, _) in KINDS.items() if kind != "teacher"]
    for influence in (pagerank, kcore, betweenness, random_walk):
        assert torch.equal(found[influence.__name__], influence(graph.x, graph.adj).double())
    heard = [set() for _ in range(graph.num_nodes)]
    for receiver, sender in zip(graph.adj.matrix.row.tolist(), graph.adj.matrix.col.tolist(), strict=True):
        if sender != receiver:
            heard[sender].add(receiver)
    assert found["degree"].tolist() == [len(each) for each in heard]
    assert found["nonzeros"].tolist() == [float(row.count_nonzero()) for row in graph.x]
    stored_zeros = SparseMatrix(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1]), torch.tensor([0.0, 2.0, 1.0]), 2)
    assert module._count_nonzero(stored_zeros).tolist() == [1.0, 1.0]


def test_betweenness_is_left_out_of_large_graphs(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NODES", 59)
    assert "betweenness" not in graph_properties(graph)


def test_what_the_teacher_says(graph: Graph) -> None:
    logits = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    y = graph.y.clone()
    y[graph.test[:5]] = -1
    found = teacher_properties(replace(graph, y=y), logits)
    for node in range(60):
        chances = (logits[node].double().exp() / logits[node].double().exp().sum()).tolist()
        entropy = -sum(chance * torch.tensor(chance).log().item() for chance in chances)
        assert found["entropy"][node].item() == pytest.approx(entropy, abs=1e-6)
        assert found["confidence"][node].item() == pytest.approx(max(chances))
        known = node not in graph.train.tolist() and y[node] >= 0
        right = float(chances.index(max(chances)) == y[node]) if known else torch.nan
        assert found["right"][node].item() == pytest.approx(right, nan_ok=True)


def test_homophily_of_a_graph_without_edges_is_unknown() -> None:
    pattern = Adjacency(torch.zeros(2, 0, dtype=torch.long), 3).structure(self_loops=0)
    assert homophily(pattern.to(torch.float64), torch.tensor([0, 1, -1])).isnan().all()
