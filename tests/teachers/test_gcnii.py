import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphkd import GraphKDError
from graphkd.sparse import Adjacency
from graphkd.teachers import GCNII
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables
from tests.teachers.test_base import drawn
from tests.teachers.test_deep import validation

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])


@settings(max_examples=20)
@given(
    edges=edge_lists(4),
    x=tables(4, 3),
    alpha=st.sampled_from([0.0, 0.1, 0.9]),
    lam=st.sampled_from([0.0, 0.5, 2.0]),
    seed=st.integers(0, 2**31),
)
def test_equals_the_literal_formula(edges: Tensor, x: Tensor, alpha: float, lam: float, seed: int) -> None:
    model = drawn(GCNII(3, 4, 2, 3, initial_residual=alpha, identity_mapping=lam), seed)
    first, last = ((part.weight, part.bias) for part in (model.first, model.readout.linear))
    weights = [conv.linear.weight for conv in model.convs]
    layers, logits = literal.gcnii(x, edges, first, weights, last, alpha, lam)
    for features in (x, sparse(x)):
        out = model(features, Adjacency(edges, 4))
        torch.testing.assert_close(out.hops, [*layers[:-1], logits])
        assert out.hops[-1] is out.logits


def test_without_both_it_propagates_and_nothing_else() -> None:
    """``λ = 0`` and ``α = 0``: no weights between the two linear layers."""
    torch.manual_seed(0)
    model, x = GCNII(4, 6, 3, 5, initial_residual=0.0, identity_mapping=0.0).double().eval(), torch.randn(3, 4)
    start, operator = model.start(x.double()), literal.symmetric(EDGES, 3, 1.0)
    for hop in model(x.double(), Adjacency(EDGES, 3)).hops[:-1]:
        start = operator @ start
        torch.testing.assert_close(hop, start)


def test_the_share_of_the_weights_shrinks_with_depth() -> None:
    betas = [conv.beta for conv in GCNII(4, 6, 3, 3, identity_mapping=1.5).convs]
    assert betas == [math.log(2.5), math.log(1.75), math.log(1.5)]


def test_the_first_embedding_is_carried_without_dropout() -> None:
    """A layer to which no neighbour speaks, dropout at its most, and all of ``α``."""
    torch.manual_seed(0)
    model, x = (
        GCNII(4, 50, 3, 3, dropout=0.9, initial_residual=0.999, identity_mapping=0.0).train(),
        torch.randn(3, 4),
    )
    for hop in model(x, Adjacency(EDGES, 3)).hops[:-1]:
        torch.testing.assert_close(hop, model.start(x), atol=0.1, rtol=0.05)


@pytest.mark.parametrize("num_layers", [1, 8, 32])
def test_gradients_reach_the_first_layer_at_any_depth(num_layers: int) -> None:
    torch.manual_seed(0)
    model = GCNII(4, 16, 3, num_layers)
    model(torch.randn(3, 4), Adjacency(EDGES, 3)).logits.square().sum().backward()
    assert model.first.weight.grad.norm() > 0.05


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"identity_mapping": -1.0}, "teacher.identity_mapping is -1.0: it must be a number, 0 or more"),
        ({"initial_residual": 1.0}, r"teacher.initial_residual is 1.0: it must lie in \[0, 1\)"),
        ({"num_layers": 0}, "num_layers is 0"),
        ({"jumping_knowledge": "lstm"}, "teacher.jumping_knowledge is 'lstm': choose none or cat or max"),
    ],
)
def test_settings_that_no_network_can_have(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        GCNII(4, **keys)


@pytest.mark.slow
@pytest.mark.parametrize("num_layers", [16, 32])
def test_trains_on_a_real_graph(num_layers: int, data_dir: Path) -> None:
    torch.set_num_threads(1)
    assert validation(GCNII, data_dir, 100, num_layers=num_layers) > 0.76
