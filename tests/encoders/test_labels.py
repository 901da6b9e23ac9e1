"""Histograms of labels against loops, and that no node reads its own label."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError, encoders
from graphkd.datasets import Graph
from graphkd.encoders import Labels
from graphkd.encoders import labels as module
from graphkd.sparse import Adjacency
from graphkd.testing.graphs import small_graph
from tests.methods.twins import graph_of
from tests.strategies import edge_lists


def literal_histograms(
    graph: Graph, edges: torch.Tensor, decay: float, depth: int, own: bool = False
) -> torch.Tensor:
    """h_vc ∝ sum of decay^d(u, v) over training nodes u of class c within depth, breadth first; own: u = v too."""
    rows = torch.zeros(graph.num_nodes, graph.num_classes, dtype=torch.float64)
    for u in graph.train.tolist():
        distance, queue = {u: 0}, deque([u])
        while queue:
            sender = queue.popleft()
            for s, r in edges.t().tolist():
                if s == sender and r not in distance and distance[sender] < depth:
                    distance[r] = distance[sender] + 1
                    queue.append(r)
        for v, hops in distance.items():
            if hops > 0 or own:
                rows[v, int(graph.y[u])] += decay**hops
    return rows / rows.sum(dim=1, keepdim=True).clamp_min(1e-300)


@settings(max_examples=40)
@given(
    edges=edge_lists(7), decay=st.sampled_from([0.05, 0.4, 1.0]), depth=st.integers(1, 4), block=st.integers(1, 3)
)
def test_histograms_equal_a_search_from_every_training_node(
    edges: torch.Tensor, decay: float, depth: int, block: int
) -> None:
    graph = graph_of(edges, 7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SOURCES", block)
        vectors = Labels(decay, depth).fit(graph).vectors
    assert vectors is not None
    expected = literal_histograms(graph, edges, decay, depth)
    torch.testing.assert_close(vectors.vectors.double(), expected, rtol=1e-5, atol=1e-7)


@given(edges=edge_lists(7), node=st.sampled_from([0, 1, 2]), depth=st.integers(1, 6))
def test_no_training_node_reads_its_own_label(edges: torch.Tensor, node: int, depth: int) -> None:
    graph = graph_of(edges, 7)
    y = graph.y.clone()
    y[node] = 3
    one, two = (Labels(0.5, depth).fit(each).vectors.vectors for each in (graph, replace(graph, y=y)))
    assert torch.equal(one[node], two[node])


def test_the_test_for_its_own_label_can_fail_and_others_read_it() -> None:
    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])  # 0 – 1 – 2, so that 0 comes back to itself in two steps
    graph = graph_of(edges, 7)
    y = graph.y.clone()
    y[0] = 3
    pair = (graph, replace(graph, y=y))
    one, two = (literal_histograms(each, edges, 0.5, 4, own=True) for each in pair)
    assert not torch.equal(one[0], two[0])
    one, two = (Labels(0.5, 4).fit(each).vectors.vectors for each in pair)
    assert not torch.equal(one[1], two[1])
    assert not torch.equal(one[2], two[2])


def test_labels_of_other_than_training_nodes_are_not_read() -> None:
    graph = small_graph()
    y = (graph.y + 1) % graph.num_classes
    y[graph.train] = graph.y[graph.train]
    one, two = (Labels().fit(each).vectors.vectors for each in (graph, replace(graph, y=y)))
    assert torch.equal(one, two)
    assert float(one.sum(dim=1).max()) == pytest.approx(1.0)


def test_a_node_that_no_label_reaches_has_zeros_and_a_new_one_the_mean_of_its_neighbours() -> None:
    graph = graph_of(torch.tensor([[0, 1], [3, 3]]), 7)
    encoding = Labels().fit(graph)
    assert encoding.vectors is not None
    table = encoding.vectors.vectors
    assert table[3].tolist() == [0.5, 0.5, 0.0, 0.0]
    assert not table[[0, 1, 2, 4, 5, 6]].any()
    arrived = encoding.vectors.of(Adjacency(torch.tensor([[3, 6], [7, 7]]), 8), torch.tensor([*range(7), -1]))
    assert arrived[7].tolist() == [0.25, 0.25, 0.0, 0.0]


def test_it_knows_its_width_before_it_is_fitted() -> None:
    graph = small_graph()
    assert Labels().width(graph.num_features, graph.num_classes) == Labels().fit(graph).width(graph.num_features)
    assert Labels().reads == Labels().fit(graph).reads == "x and labels"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"decay": 0.0}, "encoder.decay is 0.0: it must be a number above 0, 1 at most"),
        ({"decay": "half"}, "encoder.decay is 'half'"),
        ({"depth": 0}, "encoder.depth is 0: it must be a whole number from 1 to 50"),
        ({"depth": 2.5}, "encoder.depth is 2.5"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        encoders.Labels(**keys)
