import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.influence import infgrand, infgrand_per_class
from tests.influence import twins
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables

NONE = torch.zeros(2, 0, dtype=torch.long)


@pytest.mark.parametrize("low", [-3.0, 0.0])
@given(
    data=st.data(),
    edges=edge_lists(6),
    labels=st.lists(st.integers(-1, 3), min_size=6, max_size=6),
    hops=st.integers(0, 2),
    loops=st.sampled_from([1, 2]),
)
def test_the_closed_form_equals_the_double_loop(
    low: float, data: st.DataObject, edges: torch.Tensor, labels: list[int], hops: int, loops: int
) -> None:
    x = data.draw(tables(6, 3, low=low))
    expected = twins.infgrand_per_class(x, edges, labels, hops, loops)
    for features in (x, sparse(x)):
        ours = infgrand_per_class(
            features, edges, hops=hops, self_loops=loops, labels=torch.tensor(labels, dtype=torch.long)
        )
        torch.testing.assert_close(ours.double(), expected, atol=1e-6, rtol=0)


@given(edges=edge_lists(6), x=tables(6, 3))
def test_where_all_nodes_are_of_one_class_it_is_infgrand(edges: torch.Tensor, x: torch.Tensor) -> None:
    one_class = infgrand_per_class(x, edges, labels=torch.zeros(6, dtype=torch.long))
    torch.testing.assert_close(one_class, infgrand(x, edges), atol=1e-6, rtol=0)


def test_without_labels_nothing_is_ranked() -> None:
    assert torch.equal(infgrand_per_class(torch.rand(3, 2), NONE, labels=torch.full((3,), -1)), torch.ones(3))


def test_the_variant_sets_the_self_loops() -> None:
    x, edges, labels = torch.rand(6, 3), torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.arange(6) % 2
    both = [
        infgrand_per_class(x, edges, labels=labels, **keys)
        for keys in ({"variant": "reference"}, {"self_loops": 2})
    ]
    assert torch.equal(*both)


@pytest.mark.parametrize("labels", [torch.zeros(2, dtype=torch.long), torch.zeros(3)])
def test_labels_that_cannot_be_right(labels: torch.Tensor) -> None:
    with pytest.raises(GraphKDError, match="labels must be whole numbers, one per row of x"):
        infgrand_per_class(torch.rand(3, 2), NONE, labels=labels)
