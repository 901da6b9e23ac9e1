from __future__ import annotations

import numpy as np
import pytest
import torch

import graphkd.positions._random_walk as module
from graphkd.errors import GraphKDError
from graphkd.positions import random_walk
from graphkd.sparse import Adjacency
from tests.memory import peak_growth
from tests.positions.graphs import dense, random_graph, two_parts


def literal(adj: Adjacency, dim: int) -> np.ndarray:
    matrix = dense(adj)
    for row in matrix:
        if row.sum():
            row /= row.sum()
    out, power = np.zeros((len(matrix), dim)), np.eye(len(matrix))
    for k in range(dim):
        power = power @ matrix
        out[:, k] = np.diag(power)
    return out


@pytest.mark.parametrize("dim", [1, 2, 3, 8])
@pytest.mark.parametrize("weighted", [False, True])
def test_return_probabilities_are_the_diagonals_of_dense_powers(dim: int, weighted: bool) -> None:
    for adj in (two_parts(), random_graph(weighted=weighted)):
        found = random_walk(adj, dim)
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found.numpy(), literal(adj, dim), rtol=1e-6, atol=1e-8)


def test_blocks_of_columns_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    adj = random_graph()
    whole = random_walk(adj, 6)
    monkeypatch.setattr(module, "ENTRIES", 30 * 7)
    assert torch.equal(random_walk(adj, 6), whole)
    monkeypatch.setattr(module, "ENTRIES", 1)
    assert torch.equal(random_walk(adj, 6), whole)


def test_nodes_without_edges_get_zeros() -> None:
    assert not random_walk(two_parts(), 4)[8].any()
    assert not random_walk(Adjacency(torch.zeros(2, 0, dtype=torch.long), 3), 4).any()
    assert random_walk(Adjacency(torch.zeros(2, 0, dtype=torch.long), 0), 4).shape == (0, 4)


@pytest.mark.parametrize("dim", [0, -1, 1.5, True, None, "4"])
def test_a_number_of_columns_that_is_no_count_is_refused(dim: object) -> None:
    with pytest.raises(GraphKDError, match="dim of positions is .*: give a whole number from 1"):
        random_walk(two_parts(), dim)  # type: ignore[arg-type]


@pytest.mark.slow
def test_no_array_of_all_pairs_is_made() -> None:
    setup = """
import torch
from graphkd.sparse import Adjacency
from graphkd.positions import random_walk
node = torch.arange(10_000)
adj = Adjacency(torch.stack([node[1:], node[:-1]]), 10_000)
random_walk(Adjacency(torch.tensor([[0], [1]]), 2), 4)
"""
    # All pairs take 800 MB in float64; four blocks of two million entries 64 MB.
    assert peak_growth(setup, "random_walk(adj, 4)") < 150e6
