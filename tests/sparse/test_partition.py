import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.sparse import Adjacency, partition
from tests.strategies import edge_lists, seeded


@given(edges=edge_lists(9), parts=st.integers(1, 9), seed=st.integers(0, 2**31))
def test_random_parts_are_of_equal_size(edges: torch.Tensor, parts: int, seed: int) -> None:
    adj = Adjacency(edges, 9)
    part = partition(adj, parts, "random", seeded(seed))
    sizes = torch.bincount(part, minlength=parts)
    assert (sizes.numel(), int(sizes.sum())) == (parts, 9)
    assert sizes.max() - sizes.min() <= 1
    assert torch.equal(part, partition(adj, parts, "random", seeded(seed)))


@pytest.mark.parametrize("both", [False, True])
def test_metis_finds_two_rings_that_one_edge_joins(both: bool) -> None:
    """Of an edge list with one direction or with both, self-loops among them."""
    ring = torch.arange(10)
    edges = torch.stack([ring, (ring + 1) % 10])
    edges = torch.cat([edges, edges + 10, torch.tensor([[0, 3], [10, 3]])], dim=1)
    edges = torch.cat([edges, edges.flip(0)], dim=1) if both else edges
    part = partition(Adjacency(edges, 20), 2, "metis", seeded(0))
    assert sorted((part[:10].unique().tolist(), part[10:].unique().tolist())) == [[0], [1]]


def test_more_parts_than_nodes_are_refused() -> None:
    adj = Adjacency(torch.zeros(2, 0, dtype=torch.long), 3)
    with pytest.raises(GraphKDError, match="training.parts is 4, but the graph has 3 nodes: choose fewer parts"):
        partition(adj, 4, "metis", seeded(0))


def test_without_pymetis_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymetis", None)
    adj = Adjacency(torch.zeros(2, 0, dtype=torch.long), 3)
    with pytest.raises(GraphKDError, match=r"needs pymetis: pip install 'graphkd\[metis\]'"):
        partition(adj, 2, "metis", seeded(0))
