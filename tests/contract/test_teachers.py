"""What every exported teacher promises; a new one is covered by being exported."""

import pytest
import torch

from graphkd import teachers
from graphkd.registry import catalogue, parameters_of
from graphkd.sparse import Adjacency, as_features
from tests.conftest import make_data
from tests.networks import teacher_like, width_of

TEACHERS = catalogue(teachers).values()


def gradients(network: torch.nn.Module) -> list[torch.Tensor]:
    """Of all weights that logits depend on; others are trained by a teacher's own loss."""
    return [weight.grad for weight in network.parameters() if weight.grad is not None]


@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("num_layers", [1, 2, 4])
@pytest.mark.parametrize("residual", [False, True])
def test_sparse_and_dense_features_agree_forward_and_backward(
    teacher: type, num_layers: int, residual: bool
) -> None:
    if num_layers == 1 and teacher.name == "vqgraph":
        pytest.skip("it quantises a hidden hop")
    torch.manual_seed(0)
    data = make_data()
    x = data.x * (data.x > 0)
    network = teacher_like(teacher, 8, 8, 3, num_layers=num_layers, residual=residual).eval()
    adj = Adjacency(data.edge_index, 60)
    results = []
    for features in (x, as_features(x.to_sparse_csr())):
        network.zero_grad()
        out = network(features, adj)
        out.logits.square().sum().backward()
        results.append([out.logits, *out.hops, *gradients(network)])
    assert len(out.hops) == num_layers
    for dense, sparse in zip(*results, strict=True):
        torch.testing.assert_close(dense, sparse, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_options_and_odd_graphs(teacher: type, norm: str) -> None:
    network = teacher_like(teacher, 8, 8, 3, num_layers=3, norm=norm, residual=True)
    no_edges = torch.zeros(2, 0, dtype=torch.long)
    for edges, nodes in ((no_edges, 5), (torch.tensor([[2], [2]]), 5), (torch.zeros(2, 9).long(), 5)):
        out = network(torch.randn(nodes, 8), Adjacency(edges, nodes))
        assert out.logits.isfinite().all()


DEEP = [
    {"norm": "batch", "residual": True},
    {"norm": "layer", "residual": True},
    {"norm": "layer", "initial_residual": 0.2},
]


@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("num_layers", [2, 3, 6, 12, 16])
@pytest.mark.parametrize("keys", DEEP, ids=["batch", "layer", "initial"])
def test_every_depth_has_finite_hops_and_gradients_at_its_start(
    teacher: type, num_layers: int, keys: dict
) -> None:
    torch.manual_seed(0)
    data = make_data()
    network = teacher_like(teacher, 8, 8, 3, num_layers=num_layers, **keys)
    out, width = network(data.x, Adjacency(data.edge_index, 60)), width_of(teacher, 8, 3)
    assert [tuple(hop.shape) for hop in out.hops] == [(60, width)] * (num_layers - 1) + [(60, 3)]
    assert all(hop.isfinite().all() for hop in out.hops)
    network.loss(out, data.y, torch.arange(60))["loss"].backward()
    if not set(keys) <= set(parameters_of(teacher)):
        return  # the residuals are what keeps gradients
    layer = network.first if network.starts else network.convs[0]
    first = [weight.grad for name, weight in layer.named_parameters() if "weight" in name]
    assert first
    assert all(grad.isfinite().all() and grad.norm() > 0.05 for grad in first)  # GCN's without: 0.005


@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("keys", [{}, {"residual": True, "initial_residual": 0.1}], ids=["plain", "residual"])
def test_where_hops_are_taken_changes_no_bit_of_training(teacher: type, norm: str, keys: dict) -> None:
    data, results = make_data(), []
    for hops in ("after_activation", "before_activation"):
        torch.manual_seed(0)
        network = teacher_like(teacher, 8, 8, 3, num_layers=3, norm=norm, hops=hops, **keys)
        out = network(data.x, Adjacency(data.edge_index, 60))
        out.logits.square().sum().backward()
        results.append([out.logits, *network.buffers(), *gradients(network)])
        assert out.hops[-1] is out.logits
    assert all(torch.equal(after, before) for after, before in zip(*results, strict=True))
