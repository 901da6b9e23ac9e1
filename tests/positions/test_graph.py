from __future__ import annotations

import numpy as np
import pytest
import torch

from graphkd.errors import GraphKDError
from graphkd.positions.graph import Undirected
from graphkd.sparse import Adjacency
from tests.positions.graphs import dense, random_graph, two_parts


def test_edges_of_one_direction_join_both_ends_and_self_loops_are_left_out() -> None:
    adj = Adjacency(torch.tensor([[0, 1, 2, 2], [1, 2, 1, 2]]), 4)
    graph = Undirected.of(adj)
    expected = np.zeros((4, 4))
    for i, j in ((0, 1), (1, 2)):
        expected[i, j] = expected[j, i] = 1.0
    assert (graph.matrix.toarray() == expected).all()
    assert not graph.weighted
    assert graph.linked.tolist() == [0, 1, 2]


def test_the_larger_of_two_weights_counts_and_edges_of_weight_zero_are_none() -> None:
    edges = torch.tensor([[0, 1, 1, 3], [1, 0, 2, 2]])
    graph = Undirected.of(Adjacency(edges, 4, torch.tensor([0.5, 2.0, 3.0, 0.0])))
    assert graph.matrix.toarray().tolist() == [[0, 2, 0, 0], [2, 0, 3, 0], [0, 3, 0, 0], [0, 0, 0, 0]]
    assert graph.weighted
    assert graph.strength().tolist() == [2, 5, 3, 0]
    assert graph.linked.tolist() == [0, 1, 2]


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_impossible_weights_are_refused_in_one_line(weight: float) -> None:
    adj = Adjacency(torch.tensor([[0, 1], [1, 2]]), 3, torch.ones(2))
    adj.matrix.value[0] = weight
    with pytest.raises(GraphKDError, match="edge weights must be finite and not negative"):
        Undirected.of(adj)


def test_the_fingerprint_depends_on_edges_and_weights_and_not_on_their_direction() -> None:
    first = Undirected.of(two_parts()).fingerprint()
    edges = torch.stack([two_parts().matrix.row, two_parts().matrix.col])
    assert Undirected.of(Adjacency(edges, 9)).fingerprint() == first
    assert Undirected.of(Adjacency(edges, 10)).fingerprint() != first
    assert Undirected.of(Adjacency(edges[:, 1:], 9)).fingerprint() != first
    weight = torch.ones(edges.shape[1])
    assert Undirected.of(Adjacency(edges, 9, weight)).fingerprint() == first
    weight[0] = 2.0
    assert Undirected.of(Adjacency(edges, 9, weight)).fingerprint() != first


def test_the_symmetric_operator_is_the_dense_one_and_symmetric_to_the_bit() -> None:
    adj = random_graph(weighted=True)
    found = Undirected.of(adj).symmetric().toarray()
    matrix = dense(adj)
    strength = matrix.sum(axis=1)
    for i in range(len(matrix)):
        for j in range(len(matrix)):
            expected = matrix[i, j] / (strength[i] * strength[j]) ** 0.5 if matrix[i, j] else 0.0
            assert found[i, j] == pytest.approx(expected, rel=1e-14)
    assert (found == found.T).all()
