import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from graphkd import GraphKDError
from graphkd.sparse import Adjacency, as_features
from graphkd.teachers import GAT, GCN, SAGE, Teacher, TeacherOutput
from tests import literal
from tests.strategies import edge_lists, seeded, tables

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])


@pytest.mark.parametrize("teacher", [GAT, GCN, SAGE])
@pytest.mark.parametrize("num_layers", [1, 2, 5])
def test_one_hop_per_layer_and_the_last_is_the_logits(teacher: type, num_layers: int) -> None:
    out = teacher(4, 8, 3, num_layers)(torch.randn(3, 4), Adjacency(EDGES, 3))
    assert [tuple(hop.shape) for hop in out.hops] == [(3, 8)] * (num_layers - 1) + [(3, 3)]
    assert out.hops[-1] is out.logits


def test_hops_are_taken_after_activation_and_before_dropout() -> None:
    torch.manual_seed(0)
    model = GCN(4, 50, 3, 2, dropout=0.9).train()
    out = model(torch.randn(3, 4), Adjacency(EDGES, 3))
    assert (out.hops[0] >= 0).all()
    assert (out.hops[0] > 0).float().mean() > 0.3


def test_norm_and_residual() -> None:
    torch.manual_seed(0)
    x, adj = torch.randn(3, 6), Adjacency(EDGES, 3)
    plain, residual = GCN(6, 6, 3, 2).eval(), GCN(6, 6, 3, 2, residual=True).eval()
    residual.load_state_dict(plain.state_dict())
    torch.testing.assert_close(residual(x, adj).hops[0], plain(x, adj).hops[0] + x)
    torch.testing.assert_close(residual(as_features(x.to_sparse_csr()), adj).logits, residual(x, adj).logits)
    normed = GCN(6, 64, 3, 2, norm="layer").eval()
    before = normed.norms[0](normed.convs[0](x, adj))
    torch.testing.assert_close(before.mean(dim=1), torch.zeros(3), atol=1e-5, rtol=0)
    assert isinstance(GCN(6, 6, 3, 3, norm="batch").norms[1], torch.nn.BatchNorm1d)


def drawn(model: Teacher, seed: int) -> Teacher:
    """The network in float64 with every weight drawn, those that start at zero or one as well."""
    generator = seeded(seed)
    for weight in model.double().parameters():
        weight.data.copy_(torch.randn(weight.shape, generator=generator))
    return model.eval()


@settings(max_examples=15)
@given(
    edges=edge_lists(4),
    x=tables(4, 3),
    alpha=st.sampled_from([0.0, 0.2, 0.9]),
    residual=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_equals_the_literal_stack_at_both_places(
    edges: Tensor, x: Tensor, alpha: float, residual: bool, seed: int
) -> None:
    said = {}
    for hops in ("before_activation", "after_activation"):
        model = drawn(GCN(3, 3, 2, 4, 0.5, "layer", residual, alpha, hops), seed)
        said[hops] = model(x, Adjacency(edges, 4))
    convs = [functools.partial(literal_conv, conv, edges) for conv in model.convs]
    gains = [(norm.weight, norm.bias) for norm in model.norms]
    expected = literal.stack(x, convs, gains, torch.relu, residual, alpha)
    for out, hops in zip(said.values(), expected, strict=True):
        torch.testing.assert_close(out.hops, hops)
    assert torch.equal(*(out.logits for out in said.values()))


def literal_conv(conv: nn.Module, edges: Tensor, x: Tensor) -> Tensor:
    return literal.gcn_layer(x, edges, conv.linear.weight, conv.linear.bias)


@pytest.mark.parametrize("keys", [{"initial_residual": 0.5}, {"residual": True}])
def test_residuals_carry_what_dropout_has_not_touched(keys: dict) -> None:
    """A second hop that says nothing passes on what it was given of the first."""
    torch.manual_seed(0)
    model = GCN(4, 50, 3, 3, dropout=0.9, **keys).train()
    nn.init.zeros_(model.convs[1].linear.weight)
    first, second, _ = model(torch.randn(3, 4), Adjacency(EDGES, 3)).hops
    torch.testing.assert_close(second, keys.get("initial_residual", 1.0) * first)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"num_layers": 0}, "num_layers is 0"),
        ({"hidden_dim": 0}, "hidden_dim is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"norm": "group"}, "norm is 'group'"),
        ({"initial_residual": 1.0}, r"teacher.initial_residual is 1.0: it must lie in \[0, 1\)"),
        ({"initial_residual": -0.1}, "teacher.initial_residual is -0.1"),
        ({"initial_residual": float("nan")}, "teacher.initial_residual is nan"),
        ({"initial_residual": True}, "teacher.initial_residual is True"),
        ({"hops": "both"}, "teacher.hops is 'both': choose after_activation or before_activation"),
    ],
)
def test_sizes_that_no_network_can_have(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        GCN(4, **keys)


def test_rows_that_are_not_the_nodes_are_refused() -> None:
    with pytest.raises(GraphKDError, match="x has 2 rows, but the graph has 3 nodes"):
        GCN(4)(torch.zeros(2, 4), Adjacency(EDGES, 3))


def test_a_detached_output_has_no_gradient() -> None:
    out = GCN(4)(torch.randn(3, 4), Adjacency(EDGES, 3)).detach()
    assert not any(hop.requires_grad for hop in [out.logits, *out.hops])
    assert TeacherOutput(out.logits).hops == []
