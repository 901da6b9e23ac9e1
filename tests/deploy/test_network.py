from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd import GraphKDError
from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import network_of
from tests.deploy.bundles import ensemble, make_bundle, student


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("num_layers", [1, 2, 4])
def test_the_arrays_are_the_student(tmp_path: Path, norm: str, num_layers: int) -> None:
    """Row by row in float64, as the docstrings say."""
    model = student(norm, num_layers)
    network = network_of(read_bundle(make_bundle(tmp_path, model, norm)))
    assert (network.num_features, network.num_classes) == (5, 3)
    assert network.num_parameters == sum(len(layer.weight) * (layer.weight.shape[1] + 1) for layer in model.layers)
    x = torch.randn(6, 5)
    expected = model.double()(x.double()).logits.detach().numpy()
    for row, z in zip(x.double().numpy(), expected, strict=True):
        h = row
        for layer in network.layers:
            h = layer.weight.astype(np.float64) @ h + layer.bias
            if layer.gain is not None:
                h = layer.gain * (h - h.mean()) / np.sqrt(h.var() + 1e-5) + layer.shift
            if layer.hidden:
                h = np.maximum(h, 0)
        np.testing.assert_allclose(h, z, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_an_ensemble_is_its_members_and_their_weights(tmp_path: Path, norm: str) -> None:
    model = ensemble(norm, num_members=11)
    network = network_of(read_bundle(make_bundle(tmp_path, model, norm)))
    assert (network.num_features, network.num_classes, network.depth, len(network.members)) == (5, 3, 3, 11)
    for k, (layers, member) in enumerate(zip(network.members, model.members, strict=True)):
        alone = network_of(read_bundle(make_bundle(tmp_path / str(k), member, norm)))
        assert (alone.alpha, alone.members, alone.log_alpha.tolist()) == (None, [alone.layers], [])
        assert all((a.weight == b.weight).all() for a, b in zip(layers, alone.layers, strict=True))
    np.testing.assert_allclose(network.log_alpha, np.log(np.arange(1, 12) / 66), rtol=1e-6)


@pytest.mark.parametrize("variance", [0.0, 1e-8, 1e-6, 1e-5, 1e-4, 1e-2])
def test_columns_that_never_varied_are_folded_with_their_epsilon(tmp_path: Path, variance: float) -> None:
    model = student("batch", 2)
    model.norms[0].running_var.fill_(variance)
    network = network_of(read_bundle(make_bundle(tmp_path, model, "batch")))
    x = model.norms[0].running_mean.new_tensor([[0.5, -1.0, 2.0, 0.0, 0.25]]).double()
    expected = model.double().norms[0](model.layers[0](x)).detach().numpy()[0]
    layer = network.layers[0]
    np.testing.assert_allclose(layer.weight.astype(np.float64) @ x.numpy()[0] + layer.bias, expected, rtol=1e-4)


WIDTHS = {
    "too many features": {"num_features": 6},
    "too few features": {"num_features": 4},
    "a wider hidden layer": {"hidden_dim": 8},
    "another class": {"num_classes": 4},
    "a layer less": {"num_layers": 2},
}


@pytest.mark.parametrize("change", WIDTHS)
def test_weights_of_other_sizes_than_described_are_no_network(tmp_path: Path, change: str) -> None:
    bundle = read_bundle(make_bundle(tmp_path, student("none"), "none"))
    bundle.description["student"]["arguments"] |= {"norm": "none", **WIDTHS[change]}
    with pytest.raises((ValueError, GraphKDError)):
        network_of(bundle)
