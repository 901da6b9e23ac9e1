from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import network_of
from tests.deploy.bundles import make_bundle, student


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
