import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.nn import SGConv

from graphkd import GraphKDError
from graphkd.sparse import Adjacency
from graphkd.teachers import SGC
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables
from tests.teachers.test_base import drawn


@settings(max_examples=20)
@given(edges=edge_lists(4), x=tables(4, 3), num_layers=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_equals_the_power_of_the_operator(edges: Tensor, x: Tensor, num_layers: int, seed: int) -> None:
    model = drawn(SGC(3, 2, num_layers), seed)
    weight, bias = model.convs[0].linear.weight, model.convs[-1].bias
    operator, power = literal.symmetric(edges, 4, 1.0), x
    for features in (x, sparse(x)):
        out, power = model(features, Adjacency(edges, 4)), x
        for hop in out.hops:
            power = operator @ power
            shift = bias if hop is out.logits else 0.0
            torch.testing.assert_close(hop, power @ weight.t() + shift)
        assert len(out.hops) == num_layers


def test_equals_pyg_and_has_its_number_of_parameters() -> None:
    torch.manual_seed(0)
    edges, x, theirs = torch.randint(9, (2, 30)).unique(dim=1), torch.randn(9, 4), SGConv(4, 3, K=3)
    model = SGC(4, 3, 3)
    model.convs[0].linear.weight.data.copy_(theirs.lin.weight.data)
    model.convs[-1].bias.data.copy_(theirs.lin.bias.data)
    torch.testing.assert_close(model(x, Adjacency(edges, 9)).logits, theirs(x, edges))
    assert sum(each.numel() for each in model.parameters()) == sum(each.numel() for each in theirs.parameters())


def test_sizes_that_no_network_can_have() -> None:
    with pytest.raises(GraphKDError, match="num_layers is 0"):
        SGC(4, num_layers=0)
