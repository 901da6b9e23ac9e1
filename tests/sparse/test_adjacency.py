import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from graphkd import GraphKDError
from graphkd.sparse import Adjacency
from tests import literal
from tests.strategies import edge_lists


@given(edges=edge_lists(6), loops=st.sampled_from([0, 1, 2]))
def test_symmetric_and_row_normalisation_agree_with_the_literal_form(edges: torch.Tensor, loops: int) -> None:
    adj = Adjacency(edges, 6)
    dense = literal.dense_adjacency(edges, 6, loops or None)
    degree = dense.sum(dim=1, keepdim=True)
    torch.testing.assert_close(
        adj.normalize("symmetric", loops, torch.float64).to_dense(), literal.symmetric(edges, 6, loops or None)
    )
    rows = torch.where(degree > 0, dense / degree, 0.0)
    torch.testing.assert_close(adj.normalize("row", loops, torch.float64).to_dense(), rows)
    torch.testing.assert_close(adj.normalize("none", loops, torch.float64).to_dense(), dense)


@given(edges=edge_lists(6), order=st.permutations([0, 1, 2, 3]))
def test_one_graph_has_an_operator_for_every_number_of_self_loops(edges: torch.Tensor, order: list[int]) -> None:
    """Also where others were asked for before, of every kind and in every precision."""
    adj = Adjacency(edges, 6)
    for loops in order:
        for dtype in (torch.float32, torch.float64):
            for kind in ("symmetric", "row", "none"):
                found, alone = (each.normalize(kind, loops, dtype) for each in (adj, Adjacency(edges, 6)))
                assert found.dtype == dtype
                assert found.equals(alone)


@given(edges=edge_lists(6), nodes=st.sets(st.integers(0, 5)))
def test_without_the_edges_of_nodes_and_the_graph_of_the_others(edges: torch.Tensor, nodes: set[int]) -> None:
    """Of directed graphs as well: neither what they send nor what they receive."""
    adj, dense = Adjacency(edges, 6), literal.dense_adjacency(edges, 6, None)
    index = torch.tensor(sorted(nodes), dtype=torch.long)
    rest = torch.tensor([node for node in range(6) if node not in nodes], dtype=torch.long)
    expected = dense.clone()
    expected[index], expected[:, index] = 0.0, 0.0
    assert torch.equal(adj.without_edges_of(index).matrix.to_dense().double(), expected.double())
    assert torch.equal(adj.subgraph(rest).matrix.to_dense().double(), dense[rest][:, rest].double())


def test_rows_are_receivers() -> None:
    adj = Adjacency(torch.tensor([[0], [1]]), 2)
    assert adj.matrix.to_dense()[1, 0] == 1


def test_a_duplicate_counts_once_and_duplicate_weights_are_added() -> None:
    edges = torch.tensor([[0, 0], [1, 1]])
    assert Adjacency(edges, 2).matrix.to_dense()[1, 0] == 1
    assert Adjacency(edges, 2, torch.tensor([0.5, 2.0])).matrix.to_dense()[1, 0] == 2.5
    assert Adjacency(edges, 2).matrix.nnz == 1


def test_structure_ignores_weights_and_sets_the_diagonal() -> None:
    adj = Adjacency(torch.tensor([[0, 1], [1, 1]]), 2, torch.tensor([0.5, 7.0]))
    assert torch.equal(adj.structure(1).to_dense(), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))


def test_weights_are_normalised_as_in_pyg_self_loops_included() -> None:
    edges, weight = torch.tensor([[0, 1, 1, 2, 2], [1, 0, 2, 1, 2]]), torch.tensor([0.5, 2.0, 1.0, 3.0, 7.0])
    ours = Adjacency(edges, 4, weight).normalize("symmetric", 1)
    index, value = gcn_norm(edges, weight, 4)
    theirs = torch.zeros(4, 4).index_put_((index[1], index[0]), value)
    torch.testing.assert_close(ours.to_dense(), theirs)


def test_an_operator_is_made_once() -> None:
    adj = Adjacency(torch.tensor([[0], [1]]), 2)
    assert adj.normalize() is adj.normalize()
    assert adj.to("cpu") is adj


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (torch.zeros(3, 2, dtype=torch.long), r"edge_index must be \[2, E\], but has shape \[3, 2\]"),
        (torch.tensor([[0], [5]]), "edge_index names nodes 0 to 5, but the graph has nodes 0 to 1"),
        (torch.tensor([[0], [-1]]), "edge_index names nodes -1 to 0"),
    ],
)
def test_edges_that_point_nowhere_are_refused(edges: torch.Tensor, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        Adjacency(edges, 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_copies_of_an_edge_are_added_up_beyond_half_precision(dtype: torch.dtype) -> None:
    edges = torch.tensor([[0], [1]]).expand(2, 70_000)
    assert Adjacency(edges, 2, torch.ones(70_000, dtype=dtype)).matrix.value.tolist() == [70_000]


def test_weights_that_add_up_to_more_than_single_precision_holds_are_refused() -> None:
    edges = torch.tensor([[0, 0], [1, 1]])
    with pytest.raises(GraphKDError, match="adds up to more than single precision holds for an edge"):
        Adjacency(edges, 2, torch.full((2,), 3e38))
    assert Adjacency(edges, 2, torch.full((2,), 3e38, dtype=torch.float64)).matrix.value.tolist() == [6e38]
