import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.sparse import POOLINGS, Adjacency, mix, propagate
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables


@pytest.mark.parametrize("pooling", POOLINGS)
@given(edges=edge_lists(6), x=tables(6, 3), hops=st.integers(0, 4), loops=st.sampled_from([1, 2]))
def test_agrees_with_the_literal_pooling_on_dense_and_sparse_rows(
    pooling: str, edges: torch.Tensor, x: torch.Tensor, hops: int, loops: int
) -> None:
    expected, kept = literal.pooled(x, edges, hops, loops, pooling), x.clone()
    adj = Adjacency(edges, 6)
    torch.testing.assert_close(propagate(x, adj, hops, loops, pooling), expected)
    if hops:
        torch.testing.assert_close(propagate(sparse(x), adj, hops, loops, pooling), expected)
    assert torch.equal(x, kept)


@given(edges=edge_lists(6), x=tables(6, 3), hops=st.integers(0, 3))
def test_the_literal_mean_is_the_mean_that_is_read_elsewhere(
    edges: torch.Tensor, x: torch.Tensor, hops: int
) -> None:
    expected = literal.mean_pooled(x, edges, hops, 1)
    torch.testing.assert_close(literal.pooled(x, edges, hops, 1, "mean"), expected)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_no_hops_returns_the_rows_themselves(pooling: str) -> None:
    x = torch.ones(2, 3)
    assert propagate(x, Adjacency(torch.zeros(2, 0).long(), 2), 0, pooling=pooling) is x


@pytest.mark.parametrize("pooling", ["sum", None, ["mean"]])
@pytest.mark.parametrize("function", [propagate, mix])
def test_a_pooling_that_is_none(function, pooling: str) -> None:
    with pytest.raises(GraphKDError, match="choose one of mean, max, min, concat"):
        function(torch.ones(2, 3), Adjacency(torch.zeros(2, 0).long(), 2), 2, pooling=pooling)
