import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.nn import SAGEConv

from graphkd import GraphKDError
from graphkd.sparse import Adjacency
from graphkd.teachers import SAGE
from graphkd.teachers.sage import SAGELayer
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables


@given(edges=edge_lists(6), x=tables(6, 5), width=st.sampled_from([3, 9]), loops=st.sampled_from([1, 2]))
def test_both_aggregators_equal_the_literal_formula(
    edges: torch.Tensor, x: torch.Tensor, width: int, loops: int
) -> None:
    mean, gcn = SAGELayer(5, width, "mean", loops).double(), SAGELayer(5, width, "gcn", loops).double()
    expected = {
        mean: literal.sage_mean_layer(x, edges, mean.lin_neigh.weight, mean.lin_neigh.bias, mean.lin_self.weight),
        gcn: literal.sage_gcn_layer(x, edges, gcn.lin_neigh.weight, gcn.lin_neigh.bias, loops),
    }
    for layer, value in expected.items():
        for features in (x, sparse(x)):
            torch.testing.assert_close(layer(features, Adjacency(edges, 6)), value)


def test_mean_equals_pyg_forward_and_backward() -> None:
    torch.manual_seed(0)
    edges = torch.unique(torch.randint(30, (2, 80)), dim=1)
    x = torch.randn(30, 7) * (torch.rand(30, 7) < 0.4)
    for width in (4, 11):
        theirs, ours = SAGEConv(7, width), SAGELayer(7, width, "mean", 1)
        ours.lin_neigh.load_state_dict(theirs.lin_l.state_dict())
        ours.lin_self.load_state_dict(theirs.lin_r.state_dict())
        upstream = torch.randn(30, width)
        expected = theirs(x, edges)
        expected.backward(upstream)
        for features in (x, sparse(x)):
            ours.zero_grad()
            out = ours(features, Adjacency(edges, 30))
            out.backward(upstream)
            torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
            for mine, other in ((ours.lin_neigh, theirs.lin_l), (ours.lin_self, theirs.lin_r)):
                torch.testing.assert_close(mine.weight.grad, other.weight.grad, atol=1e-4, rtol=1e-4)


def test_an_unknown_aggregator_is_refused() -> None:
    with pytest.raises(GraphKDError, match="aggregator is 'max': choose gcn or mean"):
        SAGE(3, aggregator="max")
