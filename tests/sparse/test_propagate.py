import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.sparse import Adjacency, propagate
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables


@given(edges=edge_lists(6), x=tables(6, 3), hops=st.integers(0, 4), loops=st.sampled_from([1, 2]))
def test_agrees_with_the_literal_mean_on_dense_and_sparse_rows(
    edges: torch.Tensor, x: torch.Tensor, hops: int, loops: int
) -> None:
    expected = literal.mean_pooled(x, edges, hops, loops)
    adj = Adjacency(edges, 6)
    torch.testing.assert_close(propagate(x, adj, hops, loops), expected)
    if hops:
        torch.testing.assert_close(propagate(sparse(x), adj, hops, loops), expected)


def test_no_hops_returns_the_rows_themselves() -> None:
    x = torch.ones(2, 3)
    assert propagate(x, Adjacency(torch.zeros(2, 0).long(), 2), 0) is x
