from pathlib import Path

import pytest
import torch

from graphkd.deploy.exports.module import LARGEST_BATCH, example, module_of
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import network_of
from tests.deploy.bundles import make_bundle, student


@pytest.mark.parametrize(("norm", "kinds"), [("batch", "LR LR L"), ("layer", "LNR LNR L")])
def test_torch_s_own_layers_are_the_student(tmp_path: Path, norm: str, kinds: str) -> None:
    model = student(norm)
    bundle = read_bundle(make_bundle(tmp_path, model, norm))
    network = network_of(bundle)
    module, x = module_of(network, Stamp.of(bundle)), torch.randn(6, 5)
    torch.testing.assert_close(module(x), model(x).logits, atol=1e-5, rtol=1e-5)
    initials = {"Linear": "L", "LayerNorm": "N", "ReLU": "R"}
    assert "".join(initials[type(part).__name__] for part in module) == kinds.replace(" ", "")
    assert not module.training
    rows, sizes = example(network)
    assert (rows.shape, list(sizes)) == ((2, 5), [0])
    assert (sizes[0].min, sizes[0].max) == (1, LARGEST_BATCH)
