"""What S is, from dense and from sparse rows, and the zero that non-negative rows certify."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.influence import _dense_cosine, _sparse_cosine
from graphkd.influence._dense_cosine import DenseCosine
from graphkd.influence._minimum import Means, Minimum
from graphkd.influence._pairs import Pairs
from graphkd.influence._sparse_cosine import SparseCosine
from graphkd.sparse import Adjacency
from tests.influence.twins import _cosine
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables

NONE = torch.zeros(2, 0, dtype=torch.long)
MEANS = Means(None, 1.0)


def both(x: torch.Tensor, adj: Adjacency, hops: int) -> list[DenseCosine | SparseCosine]:
    operator = adj.normalize("symmetric", 1, torch.float64)
    return [DenseCosine(x, operator, hops, MEANS), SparseCosine(sparse(x), operator, hops, MEANS)]


def block_widths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of the blocks that sparse rows are searched in, as they come."""
    widths: list[int] = []
    search = SparseCosine._block_minimum
    monkeypatch.setattr(
        SparseCosine, "_block_minimum", lambda self, block: widths.append(len(block)) or search(self, block)
    )
    return widths


@given(edges=edge_lists(6), x=tables(6, 3), hops=st.integers(0, 2), columns=st.integers(0, 6))
def test_sums_and_minimum_equal_the_double_loop(
    edges: torch.Tensor, x: torch.Tensor, hops: int, columns: int
) -> None:
    adj = Adjacency(edges, 6)
    y = torch.linalg.matrix_power(adj.normalize("symmetric", 1, torch.float64).to_dense(), hops) @ x
    expected = torch.tensor([[_cosine(x[i], y[j]) for j in range(6)] for i in range(6)], dtype=torch.float64)
    members = torch.stack([torch.arange(6) % 2, torch.arange(6)], dim=1).double()
    for cosine in both(x, adj, hops):
        torch.testing.assert_close(cosine.row_sums(columns), expected[:, :columns].sum(dim=1))
        torch.testing.assert_close(cosine.group_sums(members), expected @ members)
        found = cosine.minimum(MEANS)
        assert found.exact
        assert found.low == pytest.approx(float(expected.min()), abs=1e-12)


def test_an_orthogonal_pair_ends_the_search_for_non_negative_features(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = block_widths(monkeypatch)
    monkeypatch.setattr(Pairs, "search", lambda *_: pytest.fail("searched on"))
    for cosine in both(torch.eye(200, dtype=torch.float64), Adjacency(NONE, 200), 2):
        found = cosine.minimum(Means(0.0, 1.0))
        assert (found.low, found.high) == (0.0, 0.0)
        assert found.share == pytest.approx(_dense_cosine.PROBES / 200)
    assert rows == [_sparse_cosine.PROBES]


def test_a_zero_row_of_non_negative_features_needs_no_search() -> None:
    x = torch.ones(5, 2)
    x[3] = 0.0
    assert [each.minimum(MEANS) for each in both(x.double(), Adjacency(NONE, 5), 1)] == 2 * [
        Minimum(0.0, 0.0, 0.0)
    ]


def test_a_small_graph_is_searched_in_strips_too(monkeypatch: pytest.MonkeyPatch) -> None:
    widths = block_widths(monkeypatch)
    both(torch.randn(700, 3).double(), Adjacency(NONE, 700), 1)[1].minimum(MEANS)
    assert widths == [64, 256, 256, 188]


def test_sparse_rows_without_time_keep_what_is_certain() -> None:
    x = torch.randn(200, 3, dtype=torch.float64)
    cosine = both(x, Adjacency(NONE, 200), 1)[1]
    exact, cut = cosine.minimum(MEANS), cosine.minimum(Means(0.0, 1.0))
    assert cut.low == -1.0 <= exact.low <= cut.high
    assert cut.share == pytest.approx(64 / 200)


def test_negative_edge_weights_end_no_search() -> None:
    adj = Adjacency(torch.tensor([[0, 1], [1, 0]]), 3, torch.tensor([-0.5, -0.5]))
    operator = adj.normalize("none", 0, torch.float64)
    x = torch.eye(3, dtype=torch.float64)
    for cosine in (DenseCosine(x, operator, 1, MEANS), SparseCosine(sparse(x), operator, 1, MEANS)):
        assert cosine.minimum(MEANS).low == -1.0
