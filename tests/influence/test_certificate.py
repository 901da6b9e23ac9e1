import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.influence import infgrand
from graphkd.influence.certificate import infgrand_interval
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables


@given(
    edges=edge_lists(7),
    x=tables(7, 4),
    hops=st.integers(0, 2),
    columns=st.integers(0, 7),
    seconds=st.sampled_from([0.0, 1e-4, 1e-3, 30.0]),
)
def test_every_weight_is_in_its_interval(
    edges: torch.Tensor, x: torch.Tensor, hops: int, columns: int, seconds: float
) -> None:
    expected = literal.influence(x, edges, hops, 1, columns)
    for features in (x, sparse(x), x.float()):
        found = infgrand_interval(features, edges, hops, columns=columns, max_seconds=seconds)
        exact = infgrand(features, edges, hops, columns=columns)
        assert bool(((found.low <= exact) & (exact <= found.high)).all())
        if features.dtype == torch.float64:
            assert bool(((found.low - 1e-6 <= expected) & (expected <= found.high + 1e-6)).all())
        assert found.minimum[0] <= found.minimum[1]
        assert found.width == pytest.approx(float((found.high - found.low).max()))
        if seconds == 30.0:
            assert found.exact
            assert torch.equal(found.low, found.high)


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_without_time_the_bounds_are_those_of_the_signs(low: float) -> None:
    x = low + torch.rand(300, 8, generator=torch.Generator().manual_seed(0))
    found = infgrand_interval(x, torch.tensor([[0], [1]]), max_seconds=0)
    assert not found.exact
    assert found.minimum[0] == low
    assert 0.0 < found.share < 1.0


def test_an_exact_one_has_no_width() -> None:
    x, edges = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([[0, 1], [1, 2]])
    found = infgrand_interval(x, edges)
    assert found.exact
    assert found.width == 0.0
    assert found.share == 1.0
    assert torch.equal(found.low, infgrand(x, edges))


def test_it_refuses_what_infgrand_refuses() -> None:
    with pytest.raises(GraphKDError, match="influence.max_seconds is -1: it must be a number from 0"):
        infgrand_interval(torch.ones(2, 2), torch.zeros(2, 0).long(), max_seconds=-1)
