import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.sparse import Adjacency, Factored, SparseMatrix, cheapest, linear, mix, propagate, select_rows
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables

LINEAR = pytest.mark.parametrize("pooling", ["mean", "concat"])


@LINEAR
@given(
    edges=edge_lists(6),
    x=tables(6, 5),
    weight=tables(3, 25),
    hops=st.integers(1, 4),
    loops=st.sampled_from([1, 2]),
)
def test_a_layer_on_factors_equals_one_on_the_literal_table_forward_and_backward(
    pooling: str, edges: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, hops: int, loops: int
) -> None:
    """Directed graphs too, where the gradient goes through the transpose."""
    table = literal.pooled(x, edges, hops, loops, pooling)
    weight = weight[:, : table.shape[1]]
    operator = Adjacency(edges, 6).normalize("symmetric", loops, torch.float64)
    factored = Factored(sparse(x), operator, hops, pooling)
    assert factored.shape == table.shape
    results = []
    for rows in (factored, table):
        leaf = weight.clone().requires_grad_()
        out = linear(rows, leaf, torch.arange(3.0).double())
        out.square().sum().backward()
        results.append((out.detach(), leaf.grad))
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two)


@LINEAR
@given(edges=edge_lists(6), x=tables(6, 5), hops=st.integers(1, 3))
def test_rows_of_the_factors_are_rows_of_the_table(
    pooling: str, edges: torch.Tensor, x: torch.Tensor, hops: int
) -> None:
    index = torch.tensor([4, 0, 4])
    factored = Factored(sparse(x), Adjacency(edges, 6).normalize("symmetric", 1, torch.float64), hops, pooling)
    rows = select_rows(factored, index)
    torch.testing.assert_close(rows.to_dense(), literal.pooled(x, edges, hops, 1, pooling)[index])


@LINEAR
@pytest.mark.parametrize(("width", "form"), [(8, torch.Tensor), (400, Factored)])
def test_factors_are_taken_where_they_cost_less(width: int, form: type, pooling: str) -> None:
    x = torch.zeros(60, width)
    x[:, :4] = 1.0
    ring = torch.stack([torch.arange(60), (torch.arange(60) + 1) % 60])
    adj = Adjacency(torch.cat([ring, ring.flip(0)], dim=1), 60)
    mixed = mix(sparse(x), adj, 2, pooling=pooling)
    assert isinstance(mixed, form)
    torch.testing.assert_close(linear(mixed, torch.eye(mixed.shape[1])), propagate(x, adj, 2, pooling=pooling))
    assert isinstance(mix(x, adj, 2, pooling=pooling), torch.Tensor)
    assert isinstance(mix(sparse(x), adj, 2, pooling="max"), torch.Tensor)
    assert isinstance(cheapest(sparse(x)), torch.Tensor if width == 8 else SparseMatrix)


def test_a_table_that_would_be_too_large_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[propagate.__module__]
    adj = Adjacency(torch.tensor([[0], [1]]), 4)
    assert isinstance(mix(sparse(torch.ones(4, 8)), adj, 1), torch.Tensor)
    monkeypatch.setattr(module, "TABLE_BYTES", 100)
    assert isinstance(mix(sparse(torch.ones(4, 8)), adj, 1), Factored)
    assert isinstance(cheapest(sparse(torch.ones(4, 8))), SparseMatrix)


def test_the_size_of_a_concatenated_table_is_all_of_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    adj, x = Adjacency(torch.tensor([[0], [1]]), 4), sparse(torch.ones(4, 8))
    monkeypatch.setattr(sys.modules[propagate.__module__], "TABLE_BYTES", 3 * 4 * 4 * 8 - 1)
    assert isinstance(mix(x, adj, 2), torch.Tensor)
    assert isinstance(mix(x, adj, 2, pooling="concat"), Factored)
