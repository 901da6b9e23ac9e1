import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.nn import TransformerConv

from graphkd import GraphKDError
from graphkd.sparse import Adjacency, Block
from graphkd.teachers import GraphTransformer
from graphkd.teachers.graph_transformer import TransformerLayer
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables
from tests.teachers.test_base import drawn


@settings(max_examples=20)
@given(
    edges=edge_lists(5),
    x=tables(5, 4),
    heads=st.sampled_from([1, 2]),
    concat=st.booleans(),
    gated=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_a_layer_equals_the_literal_formula(
    edges: Tensor, x: Tensor, heads: int, concat: bool, gated: bool, seed: int
) -> None:
    layer = drawn(TransformerLayer(4, 3, heads, concat, 0.0, gated), seed)
    gate = layer.gate.weight[0] if gated else None
    query, own = ((part.weight, part.bias) for part in (layer.query, layer.own))
    expected = literal.transformer_layer(
        x, edges, query, layer.key.weight, layer.value.weight, own, gate, heads, concat
    )
    for features in (x, sparse(x)):
        torch.testing.assert_close(layer(features, Adjacency(edges, 5)), expected)


@pytest.mark.parametrize("concat", [True, False])
def test_equals_pyg_forward_and_backward(concat: bool) -> None:
    torch.manual_seed(0)
    edges = torch.randint(30, (2, 80))
    edges = torch.cat([edges[:, edges[0] != edges[1]], torch.arange(30).repeat(2, 1)], dim=1).unique(dim=1)
    theirs, ours = TransformerConv(7, 6, 2, concat, beta=True), TransformerLayer(7, 6, 2, concat, 0.0, True)
    parts = {"query": "lin_query", "key": "lin_key", "value": "lin_value", "own": "lin_skip", "gate": "lin_beta"}
    for part in ("lin_key", "lin_value"):
        getattr(theirs, part).bias.data.zero_()
    for mine, other in parts.items():
        for name, weight in getattr(ours, mine).named_parameters():
            weight.data.copy_(getattr(getattr(theirs, other), name))
    x = torch.randn(30, 7)
    out, expected = ours(x, Adjacency(edges, 30)), theirs(x, edges)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
    out.square().sum().backward()
    expected.square().sum().backward()
    for mine, other in parts.items():
        for name, weight in getattr(ours, mine).named_parameters():
            torch.testing.assert_close(
                weight.grad, getattr(getattr(theirs, other), name).grad, atol=1e-3, rtol=1e-4
            )


def test_weights_of_edges_are_not_read() -> None:
    torch.manual_seed(0)
    edges, x = torch.tensor([[0, 1, 2], [1, 2, 2]]), torch.randn(3, 4)
    layer = TransformerLayer(4, 2, 2, True, 0.0, True)
    weighted = Adjacency(edges, 3, torch.tensor([0.5, 2.0, 0.0]))
    torch.testing.assert_close(layer(x, weighted), layer(x, Adjacency(edges, 3)))


def test_a_block_without_receivers_has_no_rows() -> None:
    """A process may hold none of a step's nodes."""
    block = Block.of(Adjacency(torch.tensor([[0], [1]]), 2), torch.zeros(0).long())
    assert TransformerLayer(4, 2, 2, True, 0.0, True)(torch.zeros(0, 4), block).shape == (0, 4)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"hidden_dim": 10, "heads": 4}, "hidden_dim is 10, which 4 heads cannot share evenly"),
        ({"gated": 1}, "teacher.gated is 1: it must be true or false"),
        ({"attention_dropout": 1.0}, "attention_dropout is 1.0"),
    ],
)
def test_settings_that_no_network_can_have(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        GraphTransformer(4, **keys)
