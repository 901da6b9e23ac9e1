import torch
from hypothesis import given
from torch_geometric.nn import GCNConv

from graphkd.sparse import Adjacency
from graphkd.teachers import GCN
from graphkd.teachers.gcn import GCNLayer
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables


@given(edges=edge_lists(6), x=tables(6, 5))
def test_a_layer_equals_the_literal_formula_on_dense_and_sparse_rows(edges: torch.Tensor, x: torch.Tensor) -> None:
    for width in (3, 9):  # narrower and wider than the input: both orders of the product
        layer = GCNLayer(5, width).double()
        torch.nn.init.normal_(layer.linear.bias)
        expected = literal.gcn_layer(x, edges, layer.linear.weight, layer.linear.bias)
        for features in (x, sparse(x)):
            torch.testing.assert_close(layer(features, Adjacency(edges, 6)), expected)


def test_equals_pyg_forward_and_backward() -> None:
    torch.manual_seed(0)
    edges = torch.randint(30, (2, 80))
    edges = torch.unique(edges[:, edges[0] != edges[1]], dim=1)
    x = torch.randn(30, 7) * (torch.rand(30, 7) < 0.4)
    for width in (4, 11):
        theirs, ours = GCNConv(7, width), GCNLayer(7, width)
        torch.nn.init.normal_(theirs.bias)
        ours.linear.weight.data.copy_(theirs.lin.weight.data)
        ours.linear.bias.data.copy_(theirs.bias.data)
        upstream = torch.randn(30, width)
        expected = theirs(x, edges)
        expected.backward(upstream)
        for features in (x, sparse(x)):
            ours.zero_grad()
            out = ours(features, Adjacency(edges, 30))
            out.backward(upstream)
            torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(ours.linear.weight.grad, theirs.lin.weight.grad, atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(ours.linear.bias.grad, theirs.bias.grad, atol=1e-4, rtol=1e-4)


def test_gradients_reach_dense_inputs_as_in_pyg() -> None:
    torch.manual_seed(0)
    edges = torch.unique(torch.randint(10, (2, 20)), dim=1)
    edges = edges[:, edges[0] != edges[1]]
    theirs, ours = GCNConv(4, 3), GCNLayer(4, 3)
    ours.linear.weight.data.copy_(theirs.lin.weight.data)
    mine, other = torch.randn(10, 4).requires_grad_(), None
    other = mine.detach().clone().requires_grad_()
    ours(mine, Adjacency(edges, 10)).square().sum().backward()
    theirs(other, edges).square().sum().backward()
    torch.testing.assert_close(mine.grad, other.grad, atol=1e-5, rtol=1e-5)


def test_is_the_stack_of_pyg_layers() -> None:
    torch.manual_seed(1)
    edges = torch.tensor([[0, 1, 2, 1], [1, 0, 1, 2]])
    model, x = GCN(4, 8, 3, num_layers=2).eval(), torch.randn(3, 4)
    first, last = GCNConv(4, 8), GCNConv(8, 3)
    for conv, layer in zip((first, last), model.convs, strict=True):
        conv.lin.weight.data.copy_(layer.linear.weight.data)
    out = model(x, Adjacency(edges, 3))
    torch.testing.assert_close(out.logits, last(first(x, edges).relu(), edges))
