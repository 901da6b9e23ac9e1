import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.outofcore import TableStore
from graphkd.sparse import POOLINGS, Adjacency, mix, power, propagate
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


@pytest.mark.parametrize("pooling", POOLINGS)
@given(edges=edge_lists(6), x=tables(6, 3), hops=st.integers(1, 4), budget=st.integers(2 * 84, 900))
@settings(max_examples=10)
def test_in_files_the_rows_are_the_same_however_they_came(
    tmp_path_factory: pytest.TempPathFactory,
    pooling: str,
    edges: torch.Tensor,
    x: torch.Tensor,
    hops: int,
    budget: int,
) -> None:
    adj, x, folder = Adjacency(edges, 6), x.float(), tmp_path_factory.mktemp("w")
    expected = propagate(x, adj, hops, pooling=pooling), power(x, adj.normalize(), hops, "p")
    with TableStore(folder, budget):
        for rows in (x, x.t().contiguous().t(), sparse(x)):
            assert torch.equal(propagate(rows, adj, hops, pooling=pooling), expected[0])
        assert torch.equal(power(x, adj.normalize(), hops, "p"), expected[1])
    assert not list(folder.glob("*-drafts"))


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
