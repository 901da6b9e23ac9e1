from __future__ import annotations

import numpy as np
import pytest
import torch

import graphkd.positions._laplacian as module
from graphkd.errors import GraphKDError
from graphkd.positions import laplacian
from graphkd.positions.graph import Undirected
from graphkd.sparse import Adjacency
from tests.memory import peak_growth
from tests.positions.graphs import components, dense, grid, random_graph, two_parts


def literal(adj: Adjacency, dim: int) -> np.ndarray:
    """Component by component with numpy's dense solver; for simple eigenvalues."""
    matrix = dense(adj)
    out = np.zeros((len(matrix), dim))
    for nodes in components(matrix):
        part = matrix[np.ix_(nodes, nodes)]
        root = np.sqrt(part.sum(axis=1))
        if len(nodes) == 1:
            continue
        _, vectors = np.linalg.eigh(np.eye(len(nodes)) - part / np.outer(root, root))
        for k in range(min(dim, len(nodes) - 1)):
            vector = vectors[:, k + 1]
            out[nodes, k] = vector * np.sign(vector[np.abs(vector).argmax()])
    return out


@pytest.mark.parametrize("dim", [1, 3, 12])
def test_a_small_graph_has_the_eigenvectors_of_each_component(dim: int) -> None:
    weighted = random_graph(weighted=True)
    np.testing.assert_allclose(laplacian(weighted, dim).numpy(), literal(weighted, dim), atol=1e-5)
    two = Adjacency(torch.tensor([[0, 1, 2, 3, 5], [1, 2, 3, 1, 6]]), 8)
    np.testing.assert_allclose(laplacian(two, dim).numpy()[5:], literal(two, dim)[5:], atol=1e-6)


def test_components_are_independent_and_fill_no_more_columns_than_they_have() -> None:
    found = laplacian(two_parts(), 6)
    assert not found[:5, 4:].any()
    assert not found[5:8, 2:].any()
    assert not found[8].any()
    alone = laplacian(Adjacency(torch.tensor([[0, 1], [1, 2]]), 3), 6)
    assert torch.equal(found[5:8], alone)
    for part in (found[:5, :4], found[5:8, :2]):
        torch.testing.assert_close(part.t() @ part, torch.eye(part.shape[1]), atol=1e-5, rtol=0.0)


def test_large_components_solve_the_eigenproblem_as_the_dense_solver_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adj = random_graph(200, 0.03, weighted=True)
    expected = laplacian(adj, 5)
    monkeypatch.setattr(module, "DENSE", 8)
    found = laplacian(adj, 5)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-4)
    assert not torch.equal(found, expected)  # another solver was used


def test_negative_eigenvalues_of_a_complete_graph_are_not_confused_with_the_trivial_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DENSE", 2)
    adj = Adjacency(torch.combinations(torch.arange(40)).t(), 40)
    found = laplacian(adj, 3)
    np.testing.assert_allclose(found.sum(dim=0).numpy(), 0.0, atol=1e-4)
    torch.testing.assert_close(found.t() @ found, torch.eye(3), atol=1e-4, rtol=0.0)


def test_equal_eigenvalues_give_eigenvectors_of_their_space() -> None:
    found = laplacian(grid(26), 4).double().numpy()  # 676 nodes, eigenvalues in pairs
    operator = Undirected.of(grid(26)).symmetric().toarray()
    image = operator @ found
    value = (found * image).sum(axis=0)
    np.testing.assert_allclose(image, found * value, atol=1e-4)
    np.testing.assert_allclose(value, np.linalg.eigvalsh(operator)[::-1][1:5], atol=1e-5)


def test_the_largest_entry_is_positive_and_of_equal_ones_that_of_the_first_node() -> None:
    found = laplacian(random_graph(weighted=True), 8)
    for column in found.t():
        assert column.max() == column.abs().max()
    pair = laplacian(Adjacency(torch.tensor([[0], [1]]), 2), 1)
    assert pair[0] > 0 > pair[1]


def test_bits_are_those_of_one_thread_and_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DENSE", 8)
    adj, before = random_graph(300, 0.03), torch.get_num_threads()
    first = laplacian(adj, 6)
    try:
        torch.set_num_threads(2)
        assert torch.equal(laplacian(adj, 6), first)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert torch.equal(laplacian(adj, 6), first)


@pytest.mark.parametrize("dim", [0, -1, 1.5, float("nan"), True])
def test_a_number_of_columns_that_is_no_count_is_refused(dim: object) -> None:
    with pytest.raises(GraphKDError, match="dim of positions is .*: give a whole number from 1"):
        laplacian(two_parts(), dim)  # type: ignore[arg-type]


def test_a_seed_that_is_no_count_is_refused() -> None:
    with pytest.raises(GraphKDError, match="seed of positions is -1"):
        laplacian(two_parts(), 2, seed=-1)


def test_a_search_that_does_not_converge_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise module.sparse_linalg.ArpackNoConvergence("no", np.zeros(0), np.zeros((0, 0)))

    monkeypatch.setattr(module, "DENSE", 8)
    monkeypatch.setattr(module.sparse_linalg, "eigsh", fails)
    with pytest.raises(GraphKDError, match="did not converge: give a smaller dim"):
        laplacian(random_graph(60), 3)


def test_no_array_of_all_pairs_is_made() -> None:
    setup = """
import torch
from graphkd.sparse import Adjacency
from graphkd.positions import laplacian
generator = torch.Generator().manual_seed(0)
inside = torch.randint(4_000, (2, 20_000), generator=generator)
across = torch.arange(400).repeat(2, 1) + torch.tensor([[0], [4_000]])
adj = Adjacency(torch.cat([inside, inside + 4_000, across], dim=1), 8_000)
laplacian(Adjacency(torch.tensor([[0], [1]]), 2), 1)
"""
    assert peak_growth(setup, "laplacian(adj, 1)") < 100e6  # all pairs take 512 MB
