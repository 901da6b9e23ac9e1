"""Degree, PageRank, core, betweenness and random-walk influence: each against its loop and what others compute."""

import networkx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.influence import _betweenness, betweenness, degree, kcore, pagerank, random_walk
from graphkd.sparse import Adjacency
from tests.influence import twins
from tests.memory import peak_growth
from tests.strategies import edge_lists

X, NONE = torch.ones(6, 1), torch.zeros(2, 0, dtype=torch.long)
SCORES = [degree, pagerank, kcore, betweenness, random_walk]
WEIGHTED = [degree, pagerank, random_walk]


def close(ours: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(ours.double(), expected, atol=1e-6, rtol=0)


@given(edges=edge_lists(6))
def test_degree_counts_receivers(edges: torch.Tensor) -> None:
    close(degree(X, edges), twins.degree(edges, 6))


@given(edges=edge_lists(6), damping=st.sampled_from([0.0, 0.5, 0.85, 0.99]))
def test_pagerank_solves_its_equation(edges: torch.Tensor, damping: float) -> None:
    close(pagerank(X, edges, damping=damping), twins.pagerank(edges, 6, damping))


@given(edges=edge_lists(8))
def test_kcore_is_what_is_left_when_weak_nodes_go(edges: torch.Tensor) -> None:
    close(kcore(torch.ones(8, 1), edges), twins.kcore(edges, 8))


@settings(max_examples=20)
@given(edges=edge_lists(5))
def test_betweenness_counts_shortest_paths(edges: torch.Tensor) -> None:
    close(betweenness(X[:5], edges), twins.betweenness(edges, 5))


@given(edges=edge_lists(5), hops=st.integers(0, 3), loops=st.integers(0, 2))
def test_random_walk_sums_columns_of_the_power(edges: torch.Tensor, hops: int, loops: int) -> None:
    close(random_walk(X[:5], edges, hops=hops, self_loops=loops), twins.random_walk(edges, 5, hops, loops))


@given(edges=edge_lists(4), hops=st.integers(0, 3))
def test_random_walk_is_the_jacobian_of_propagation(edges: torch.Tensor, hops: int) -> None:
    operator = Adjacency(edges, 4).normalize(dtype=torch.float64).to_dense()
    propagation = torch.linalg.matrix_power(operator, hops)
    jacobian = torch.autograd.functional.jacobian(lambda x: propagation @ x, torch.rand(4, 3).double())
    effects = jacobian.abs().sum(dim=(0, 1, 3))
    close(random_walk(X[:4], edges, hops=hops), effects / effects.max())


def random_graph(directed: bool) -> networkx.Graph:
    return networkx.gnp_random_graph(80, 0.04, seed=3, directed=directed)


def edges_of(graph: networkx.Graph) -> torch.Tensor:
    one_way = torch.tensor(list(graph.edges)).t()
    return one_way if graph.is_directed() else torch.cat([one_way, one_way.flip(0)], dim=1)


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (pagerank, lambda graph: networkx.pagerank(graph, tol=1e-12)),
        (kcore, lambda graph: networkx.core_number(graph.to_undirected())),
        (betweenness, networkx.betweenness_centrality),
    ],
)
def test_networkx_says_the_same(ours, theirs, directed: bool) -> None:
    graph = random_graph(directed)
    expected = torch.tensor([float(theirs(graph)[node]) for node in range(80)], dtype=torch.float64)
    close(ours(torch.ones(80, 1), edges_of(graph)), expected / expected.max())


def test_betweenness_of_drawn_sources() -> None:
    graph = random_graph(directed=False)
    x, edges = torch.ones(80, 1), edges_of(graph)
    exact, drawn = betweenness(x, edges), betweenness(x, edges, samples=40)
    assert torch.equal(drawn, betweenness(x, edges, samples=40))
    assert not torch.equal(drawn, betweenness(x, edges, samples=40, seed=1))
    assert torch.corrcoef(torch.stack([exact, drawn]))[0, 1] > 0.95
    assert torch.equal(exact, betweenness(x, edges, samples=80, seed=1))


def test_blocks_of_sources_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, edges = torch.ones(80, 1), edges_of(random_graph(directed=True))
    whole = betweenness(x, edges).double()
    monkeypatch.setattr(_betweenness, "BLOCK_BYTES", 7 * 64 * 80)
    close(betweenness(x, edges), whole)


def test_more_paths_than_can_be_counted() -> None:
    """Through 220 layers of 30 nodes, in a ring, lead 30^218 paths, from wherever they start."""
    pairs = torch.cartesian_prod(torch.arange(30), 30 + torch.arange(30)).t()
    edges = torch.cat([pairs + 30 * layer for layer in range(220)], dim=1) % 6600
    with pytest.raises(GraphKDError, match="more shortest paths than float64 can count"):
        betweenness(torch.ones(6600, 1), edges, samples=1)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("edges", [NONE, torch.arange(6).repeat(2, 1), torch.tensor([[0, 1], [1, 0]])])
def test_isolated_nodes_and_graphs_without_edges(score, edges: torch.Tensor) -> None:
    weights = score(X, edges)
    if edges.shape[1] != 2 or score is betweenness:
        assert torch.equal(weights, torch.ones(6))
    else:
        assert (weights[:2] == 1).all()
        assert len(set(weights[2:].tolist())) == 1


@pytest.mark.parametrize("score", SCORES)
def test_a_graph_without_nodes(score) -> None:
    assert score(X[:0], NONE).shape == (0,)


@pytest.mark.parametrize("score", SCORES)
def test_whose_weights_are_read(score) -> None:
    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    plain, heavy = Adjacency(edges, 3), Adjacency(edges, 3, torch.tensor([9.0, 9.0, 1.0, 1.0]))
    assert torch.equal(score(X[:3], plain), score(X[:3], heavy)) == (score not in WEIGHTED)


@pytest.mark.parametrize("score", WEIGHTED)
def test_negative_weights_are_refused(score) -> None:
    with pytest.raises(GraphKDError, match="must be finite and not negative"):
        score(X[:2], Adjacency(torch.tensor([[0], [1]]), 2, torch.tensor([-1.0])))


@pytest.mark.parametrize("score", SCORES)
def test_a_graph_of_other_nodes_is_refused(score) -> None:
    with pytest.raises(GraphKDError, match="x has 2 rows, but the graph has 3 nodes"):
        score(X[:2], Adjacency(NONE, 3))


@pytest.mark.parametrize(
    ("score", "keys", "message"),
    [
        (pagerank, {"damping": 1.0}, "influence.damping is 1.0"),
        (pagerank, {"damping": float("nan")}, "influence.damping is nan"),
        (betweenness, {"samples": 0}, "influence.samples is 0"),
        (betweenness, {"seed": -1}, "influence.seed is -1"),
        (random_walk, {"hops": 1.5}, "influence has hops 1.5"),
        (random_walk, {"self_loops": -1}, "self_loops -1"),
    ],
)
def test_bad_settings_are_refused(score, keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        score(X, NONE, **keys)


@pytest.mark.slow
def test_none_makes_anything_of_size_n_by_n() -> None:
    """20,000 nodes: one N × N table would take 1.6 GB in float32; the last two read a sparse one."""
    setup = """
import torch
from graphkd import influence
from graphkd.influence.properties import homophily, typicality
from graphkd.sparse import SparseMatrix
torch.set_num_threads(1)
row, ones = torch.arange(20_000).repeat(10), torch.ones(200_000)
sparse = SparseMatrix.from_coo(row, torch.randint(20_000, (200_000,)), ones, (20_000, 20_000))
x, edges = torch.ones(20_000, 1), torch.randint(20_000, (2, 100_000))
scores = [influence.degree, influence.pagerank, influence.kcore, influence.random_walk, influence.betweenness]
for score in scores:
    score(x[:50], edges % 50)
"""
    code = """
for score in scores:
    score(x, edges, **({'samples': 16} if score is scores[-1] else {}))
typicality(sparse)
homophily(sparse, torch.zeros(20_000, dtype=torch.long))
"""
    assert peak_growth(setup, code) < 150e6
