"""The student in torch's own layers, batch normalisation folded in: what torch's exporters take."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.network import EPS, FloatArray, Layer, Network

LARGEST_BATCH = 2**20
"""Rows of a call that the exporters are told to allow."""


class Preprocess(nn.Module):
    """Raw rows ``[B, D]`` → rows as the student was trained on."""

    def __init__(self, steps: Preprocessing) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """The steps of training, whose sums are taken in float64."""
        prepared = self.steps(x)
        assert isinstance(prepared, Tensor)  # dense in, dense out
        return prepared


def module_of(network: Network, stamp: Stamp) -> nn.Sequential:
    """Rows ``[B, D']`` → logits ``[B, C]``, in evaluation mode; raw rows where preprocessing can be in it."""
    first = [Preprocess(Preprocessing(stamp.features, stamp.row_normalize))] if stamp.folded else []
    return nn.Sequential(*first, *(part for layer in network.layers for part in _parts(layer))).eval()


def example(network: Network) -> tuple[Tensor, dict[int, torch.export.Dim]]:
    """Rows to trace with, and the sizes of theirs that may change: the first."""
    return torch.zeros(2, network.num_features), {0: torch.export.Dim("batch", min=1, max=LARGEST_BATCH)}


def _parts(layer: Layer) -> list[nn.Module]:
    linear = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
    _set(linear, layer.weight, layer.bias)
    parts: list[nn.Module] = [linear]
    if layer.gain is not None and layer.shift is not None:
        norm = nn.LayerNorm(layer.gain.size, eps=EPS)
        _set(norm, layer.gain, layer.shift)
        parts.append(norm)
    return [*parts, nn.ReLU()] if layer.hidden else parts


def _set(module: nn.Linear | nn.LayerNorm, weight: FloatArray, bias: FloatArray) -> None:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight))
        module.bias.copy_(torch.from_numpy(bias))
