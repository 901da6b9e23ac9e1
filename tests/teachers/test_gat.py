import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data
from torch_geometric.nn import GATConv

import graphkd
from graphkd import GraphKDError
from graphkd.runs import Run
from graphkd.sparse import Adjacency
from graphkd.teachers import GAT
from graphkd.teachers.gat import GATLayer
from tests import literal
from tests.memory import peak_growth
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables

NO_EDGES = torch.zeros(2, 0, dtype=torch.long)


def layer_like(theirs: GATConv, in_dim: int) -> GATLayer:
    ours = GATLayer(in_dim, theirs.out_channels, theirs.heads, theirs.concat, theirs.dropout)
    ours.linear.weight.data.copy_(theirs.lin.weight.data)
    ours.att_src.data.copy_(theirs.att_src.data[0])
    ours.att_dst.data.copy_(theirs.att_dst.data[0])
    ours.bias.data.copy_(theirs.bias.data)
    return ours


@settings(max_examples=15)
@given(edges=edge_lists(5), x=tables(5, 4), heads=st.sampled_from([1, 2]), concat=st.booleans())
def test_a_layer_equals_the_literal_formula(
    edges: torch.Tensor, x: torch.Tensor, heads: int, concat: bool
) -> None:
    layer = GATLayer(4, 3, heads, concat, 0.0).double()
    torch.nn.init.normal_(layer.bias)
    parts = layer.linear.weight, layer.att_src, layer.att_dst, layer.bias
    expected = literal.gat_layer(x, edges, *parts, concat)
    for features in (x, sparse(x)):
        torch.testing.assert_close(layer(features, Adjacency(edges, 5)), expected)


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("concat", [True, False])
@pytest.mark.parametrize("edges", ["many", "none", "isolated nodes"])
def test_equals_pyg_forward_and_backward(heads: int, concat: bool, edges: str) -> None:
    torch.manual_seed(0)
    edge_index = NO_EDGES if edges == "none" else torch.randint(30 if edges == "many" else 12, (2, 80))
    edge_index = torch.unique(edge_index, dim=1)  # self-loops stay in
    x = torch.randn(30, 7) * (torch.rand(30, 7) < 0.4)
    theirs = GATConv(7, 6, heads, concat)
    torch.nn.init.normal_(theirs.bias)
    ours, dense = layer_like(theirs, 7), x.clone().requires_grad_()
    expected = theirs(dense, edge_index)
    upstream = torch.randn_like(expected)
    expected.backward(upstream)
    tracked = x.clone().requires_grad_()
    for features in (tracked, sparse(x)):
        ours.zero_grad()
        out = ours(features, Adjacency(edge_index, 30))
        out.backward(upstream)
        torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
        pairs = {
            ours.linear.weight: theirs.lin.weight,
            ours.att_src: theirs.att_src,
            ours.att_dst: theirs.att_dst,
            ours.bias: theirs.bias,
        }
        for mine, other in pairs.items():
            torch.testing.assert_close(mine.grad, other.grad.view_as(mine.grad), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(tracked.grad, dense.grad, atol=1e-4, rtol=1e-4)


def test_is_the_stack_of_pyg_layers_with_elu_between() -> None:
    torch.manual_seed(1)
    edges, x = torch.tensor([[0, 1, 2, 1], [1, 0, 1, 2]]), torch.randn(3, 4)
    first, second, last = GATConv(4, 2, 4), GATConv(8, 2, 4), GATConv(8, 3, 4, concat=False)
    model = GAT(4, 8, 3, num_layers=3, heads=4).eval()
    model.convs = torch.nn.ModuleList([layer_like(first, 4), layer_like(second, 8), layer_like(last, 8)])
    hop = torch.nn.functional.elu(first(x, edges))
    out = model(x, Adjacency(edges, 3))
    torch.testing.assert_close(out.hops[0], hop)
    torch.testing.assert_close(out.logits, last(torch.nn.functional.elu(second(hop, edges)), edges))
    assert out.hops[-1] is out.logits


def test_starts_as_the_mean_over_the_neighbourhood_with_weights_like_pyg_s() -> None:
    torch.manual_seed(0)
    ours, theirs = GATLayer(300, 50, 4, True, 0.0), GATConv(300, 50, 4)
    largest = [weight.abs().max().item() for weight in (ours.linear.weight, theirs.lin.weight)]
    assert largest[0] == pytest.approx(largest[1], rel=0.02)
    assert ours.bias.abs().max() == 0
    adj, x = Adjacency(torch.tensor([[0, 1, 2], [1, 2, 1]]), 4), torch.randn(4, 300)
    mean = adj.normalize("row", self_loops=1).to_dense() @ ours.linear(x)
    torch.testing.assert_close(ours(x, adj), mean, atol=1e-5, rtol=1e-4)


def test_weights_of_edges_are_not_read() -> None:
    torch.manual_seed(0)
    edges, x = torch.tensor([[0, 1, 2], [1, 2, 2]]), torch.randn(3, 4)
    layer = GATLayer(4, 2, 2, True, 0.0)
    weighted = Adjacency(edges, 3, torch.tensor([0.5, -2.0, 0.0]))
    torch.testing.assert_close(layer(x, weighted), layer(x, Adjacency(edges, 3)))


def test_attention_dropout_is_for_training_only_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    layer, copies = GATLayer(4, 3, 2, True, 0.5), 500
    clique = torch.cartesian_prod(torch.arange(8), torch.arange(8)).t()
    edges = torch.cat([clique + 8 * copy for copy in range(copies)], dim=1)
    x, adj = torch.randn(8, 4).repeat(copies, 1), Adjacency(edges, 8 * copies)
    drawn, still = layer(x, adj).view(copies, 8, -1), layer.eval()(x, adj).view(copies, 8, -1)
    assert not torch.equal(drawn[0], drawn[1])
    torch.testing.assert_close(drawn.mean(dim=0), still[0], atol=0.12, rtol=0.05)


def test_gradients_are_finite_where_an_edge_is_listed_ten_thousand_times() -> None:
    torch.manual_seed(0)
    edges = torch.cat([torch.tensor([[0], [1]]).repeat(1, 10_000), torch.tensor([[1, 2], [2, 2]])], dim=1)
    model, x = GAT(4, 8, 3), 1e3 * torch.randn(4, 4)
    out = model(x, Adjacency(edges, 4)).logits
    torch.testing.assert_close(
        model.eval()(x, Adjacency(edges, 4)).logits, model(x, Adjacency(edges[:, -3:], 4)).logits
    )
    out.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"hidden_dim": 10, "heads": 4}, "hidden_dim is 10, which 4 heads cannot share evenly: choose a multiple"),
        ({"heads": 0}, "heads is 0: it must be a whole number, 1 or more"),
        ({"attention_dropout": 1.0}, r"attention_dropout is 1.0: it must lie in \[0, 1\)"),
    ],
)
def test_heads_that_no_network_can_have(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        GAT(4, **keys)


def test_trains_to_the_same_bits_without_torch_scatter(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> Run:
        return graphkd.distill(data, teacher="gat", method="glnn", training=graphkd.Training(max_epochs=5))

    first = run()
    monkeypatch.setitem(sys.modules, "torch_scatter", None)
    second = run()
    for mine, other in zip(first.teacher.parameters(), second.teacher.parameters(), strict=True):
        assert torch.equal(mine, other)
    assert first.metrics["mean"] == second.metrics["mean"]


@pytest.mark.slow
def test_no_tensor_with_a_wide_row_per_edge() -> None:
    setup = (
        "import torch; from graphkd.sparse import Adjacency; from graphkd.teachers.gat import GATLayer\n"
        "torch.manual_seed(0); layer = GATLayer(16, 128, 2, True, 0.3)\n"
        "adj = Adjacency(torch.randint(4000, (2, 600_000)), 4000)\n"
        "pattern = adj.normalize('none'); pattern.t(); pattern.transpose_order(); x = torch.randn(4000, 16)\n"
    )
    per_edge = 600_000 * 256 * 4
    assert peak_growth(setup, "layer(x, adj).square().mean().backward()") < per_edge / 6
