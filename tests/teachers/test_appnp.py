import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric import nn as pyg

from graphkd import GraphKDError
from graphkd.sparse import Adjacency, Block
from graphkd.teachers import APPNP
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables
from tests.teachers.test_base import drawn

EDGES = torch.tensor([[0, 1, 1, 2, 3], [1, 0, 2, 1, 1]])


def own_logits(model: APPNP, x: Tensor) -> Tensor:
    """Of the MLP alone."""
    first, last = (conv.linear for conv in model.convs)
    return last(torch.relu(first(x)))


@settings(max_examples=20)
@given(
    edges=edge_lists(4),
    x=tables(4, 3),
    steps=st.sampled_from([0, 1, 5]),
    teleport=st.sampled_from([0.0, 0.1, 0.9]),
    seed=st.integers(0, 2**31),
)
def test_equals_the_literal_formula(edges: Tensor, x: Tensor, steps: int, teleport: float, seed: int) -> None:
    model = drawn(APPNP(3, 5, 2, steps=steps, teleport=teleport), seed)
    expected = literal.personalised(own_logits(model, x), edges, steps, teleport)
    for features in (x, sparse(x)):
        out = model(features, Adjacency(edges, 4))
        torch.testing.assert_close(out.logits, expected)
        torch.testing.assert_close(out.hops[0], torch.relu(model.convs[0].linear(x)))


def test_equals_pyg() -> None:
    model, x = drawn(APPNP(3, 5, 2, steps=7, teleport=0.2), 0), torch.randn(4, 3).double()
    theirs = pyg.APPNP(7, 0.2)(own_logits(model, x), EDGES)
    torch.testing.assert_close(model(x, Adjacency(EDGES, 4)).logits, theirs)


def test_its_limit_is_personalised_pagerank() -> None:
    model, x = drawn(APPNP(3, 5, 2, steps=400, teleport=0.1), 0), torch.randn(4, 3).double()
    operator = torch.eye(4).double() - 0.9 * literal.symmetric(EDGES, 4, 1.0)
    limit = 0.1 * torch.linalg.solve(operator, own_logits(model, x))
    torch.testing.assert_close(model(x, Adjacency(EDGES, 4)).logits, limit)


def test_blocks_are_refused() -> None:
    adj = Adjacency(EDGES, 4)
    with pytest.raises(GraphKDError, match="teacher=appnp propagates over the whole graph, not over blocks"):
        APPNP(3)(torch.zeros(4, 3), [Block.of(adj, torch.arange(4))] * 2)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"steps": -1}, "teacher.steps is -1: it must be a whole number from 0 to 1000"),
        ({"steps": 2000}, "teacher.steps is 2000"),
        ({"teleport": 1.0}, r"teacher.teleport is 1.0: it must lie in \[0, 1\)"),
        ({"num_layers": 0}, "num_layers is 0"),
    ],
)
def test_settings_that_no_network_can_have(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        APPNP(4, **keys)
