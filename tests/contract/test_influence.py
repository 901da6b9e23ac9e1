"""What every exported influence promises; a new one is covered by being exported."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import influence
from graphkd.names import catalogue
from tests.strategies import edge_lists, tables

INFLUENCES = catalogue(influence)


@pytest.mark.parametrize("name", INFLUENCES)
@given(edges=edge_lists(6), x=tables(6, 3), order=st.permutations(range(6)))
def test_weights_in_0_1_that_follow_the_nodes_and_ignore_duplicates(
    name: str, edges: torch.Tensor, x: torch.Tensor, order: list[int]
) -> None:
    weights = INFLUENCES[name](x, edges)
    assert weights.shape == (6,)
    assert weights.dtype == torch.float32
    assert ((weights >= 0) & (weights <= 1)).all()
    assert weights.max() == 1
    doubled = INFLUENCES[name](x, torch.cat([edges, edges], dim=1))
    torch.testing.assert_close(doubled, weights, atol=1e-6, rtol=0)
    permutation = torch.tensor(order)
    moved = INFLUENCES[name](x[permutation.argsort()], permutation[edges])
    torch.testing.assert_close(moved[permutation], weights, atol=1e-6, rtol=0)
