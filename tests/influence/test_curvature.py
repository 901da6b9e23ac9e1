"""Curvature of edges against its definition: neighbourhoods, hops by search, a linear programme for each edge."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy.optimize import linprog
from torch import Tensor

from graphkd import GraphKDError
from graphkd.influence import curvature
from graphkd.influence.curvature import forman, node_curvature, ollivier, undirected
from graphkd.sparse import Adjacency
from tests.strategies import edge_lists

PATH = torch.tensor([[0, 1, 2], [1, 2, 3]])
CLIQUE = torch.cartesian_prod(torch.arange(5), torch.arange(5)).t()


def neighbours_of(edges: Tensor, num_nodes: int) -> list[set[int]]:
    near: list[set[int]] = [set() for _ in range(num_nodes)]
    for u, v in edges.t().tolist():
        if u != v:
            near[u].add(v)
            near[v].add(u)
    return near


def hops_from(start: int, near: list[set[int]]) -> dict[int, int]:
    found, wave, hops = {start: 0}, {start}, 0
    while wave:
        hops, wave = hops + 1, {v for u in wave for v in near[u]} - set(found)
        found |= dict.fromkeys(wave, hops)
    return found


def transport(u: int, v: int, near: list[set[int]]) -> float:
    """``W_1`` of the whole measures, mass that is common included."""
    left, right = [u, *sorted(near[u])], [v, *sorted(near[v])]
    mine, theirs = ([0.5, *[0.5 / len(near[end])] * len(near[end])] for end in (u, v))
    costs = np.array([[hops_from(a, near)[b] for b in right] for a in left], dtype=float)
    sums = [np.repeat(np.eye(len(left))[k], len(right)) for k in range(len(left))]
    sums += [np.tile(np.eye(len(right))[k], len(left)) for k in range(len(right))]
    return float(linprog(costs.ravel(), A_eq=np.array(sums), b_eq=[*mine, *theirs]).fun)


@settings(max_examples=15)
@given(edges=edge_lists(7))
def test_both_curvatures_are_those_of_their_definitions(edges: Tensor) -> None:
    graph, near = undirected(Adjacency(edges, 7)), neighbours_of(edges, 7)
    augmented, transported = forman(graph).tolist(), ollivier(graph).tolist()
    pairs = list(zip(graph.row.tolist(), graph.col.tolist(), strict=True))
    assert sorted(pairs) == sorted((u, v) for u in range(7) for v in near[u])
    for (u, v), one, other in zip(pairs, augmented, transported, strict=True):
        triangles = sum(1 for w in range(7) if w in near[u] and w in near[v])
        assert one == 4 - len(near[u]) - len(near[v]) + 3 * triangles
        assert other == pytest.approx(1 - transport(u, v, near), abs=1e-9)


@settings(max_examples=15)
@given(edges=edge_lists(8))
def test_a_programme_and_an_assignment_find_the_same_transport(edges: Tensor) -> None:
    graph = undirected(Adjacency(edges, 8))
    expected = ollivier(graph)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curvature, "MOST_UNITS", 0)
        torch.testing.assert_close(ollivier(graph), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("edges", "num_nodes", "expected"),
    [(CLIQUE, 5, 0.625), (torch.tensor([[0], [1]]), 2, 1.0), (PATH, 4, None)],
)
def test_known_graphs(edges: Tensor, num_nodes: int, expected: float | None) -> None:
    """Of a clique of n, ``1 − (½ − 1 / (2 (n − 1)))``; of a path, a leaf's edge ``1 / d`` and inner ones 0."""
    found = ollivier(undirected(Adjacency(edges, num_nodes))).tolist()
    if expected is None:
        assert found == pytest.approx([0.5, 0.5, 0.0, 0.0, 0.5, 0.5])
    else:
        assert found == pytest.approx([expected] * len(found))


@pytest.mark.parametrize("kind", ["ollivier", "forman"])
def test_a_node_has_the_mean_of_its_edges_in_standard_scores(kind: str) -> None:
    adj = Adjacency(torch.tensor([[0, 1, 2, 3, 0], [1, 2, 3, 1, 0]]), 6)
    graph = undirected(adj)
    edge = (ollivier if kind == "ollivier" else forman)(graph).tolist()
    means = [
        np.mean([value for value, row in zip(edge, graph.row.tolist(), strict=True) if row == node])
        for node in range(4)
    ]
    expected = [(value - np.mean(means)) / np.std(means) for value in means]
    assert node_curvature(adj, kind).tolist() == pytest.approx([*expected, 0.0, 0.0])


@pytest.mark.parametrize("kind", ["ollivier", "forman"])
@pytest.mark.parametrize("edges", [torch.zeros(2, 0).long(), CLIQUE])
def test_nodes_that_do_not_differ_have_none(kind: str, edges: Tensor) -> None:
    assert not node_curvature(Adjacency(edges, 5), kind).any()


def test_triangles_are_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = undirected(Adjacency(torch.randint(30, (2, 150), generator=torch.Generator().manual_seed(0)), 30))
    expected = forman(graph)
    monkeypatch.setattr(curvature, "CANDIDATES", 7)
    assert torch.equal(forman(graph), expected)


def test_many_edges_are_refused_and_forman_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curvature, "MOST_EDGES", 2)
    with pytest.raises(GraphKDError, match="for each of 3 edges, more than 2: use curvature=forman"):
        node_curvature(Adjacency(PATH, 4), "ollivier")
    assert node_curvature(Adjacency(PATH, 4), "forman").numel() == 4
