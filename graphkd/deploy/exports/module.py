"""The student as a torch module with batch normalization folded in, the input of torch's exporters."""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.network import EPS, FloatArray, Layer, Network
from graphkd.deploy.scaling import Scaling

LARGEST_BATCH = 2**20
"""Upper bound of the dynamic batch dimension passed to the exporters."""


class Preprocess(nn.Module):
    """Preprocessing of raw rows ``[B, D]`` as in training."""

    def __init__(self, steps: Preprocessing) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """Applies the preprocessing of training, with sums in float64."""
        prepared = self.steps(x)
        assert isinstance(prepared, Tensor)  # dense in, dense out
        return prepared


class Scale(nn.Module):
    """Scaling of raw numbers ``[B, D]``, with means in place of missing ones.

    A step of its own rather than a part of the first layer, whose weights ``W / scale`` and bias
    ``b - W shift / scale`` would be sums of large numbers that cancel, and which 8 bits could not hold. In double
    precision, it yields the very features of training.
    """

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        for name, array in zip(("fill", "shift", "scale"), scaling.arrays, strict=True):
            self.register_buffer(name, torch.from_numpy(array))

    def forward(self, x: Tensor) -> Tensor:
        """Computes ``(x - shift) / scale``."""
        raw = x.double()
        filled = torch.where(torch.isnan(x), self.get_buffer("fill"), raw)
        return ((filled - self.get_buffer("shift")) / self.get_buffer("scale")).float()


class Mixture(nn.Module):
    """``log Σ_k α_k softmax(z_k)`` of members' logits ``z_k [B, C]``, in operators that every runtime has.

    Args:
        members: rows ``[B, D']`` → logits ``[B, C]``.
        log_alpha: ``log α [K]``.
    """

    def __init__(self, members: list[nn.Module], log_alpha: FloatArray) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        for k, number in enumerate(torch.from_numpy(log_alpha)):
            self.register_buffer(f"log_alpha_{k}", number.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Subtracts the members' largest term before the sum of exponentials, so that no term vanishes."""
        logs = [self.get_buffer(f"log_alpha_{k}") for k in range(len(self.members))]
        terms = [F.log_softmax(member(x), dim=-1) + log for member, log in zip(self.members, logs, strict=True)]
        # Not below the lowest number: where all terms are −∞, so is the result.
        top = functools.reduce(torch.maximum, terms).clamp_min(torch.finfo(terms[0].dtype).min)
        return top + functools.reduce(torch.add, [(term - top).exp() for term in terms]).log()


def module_of(network: Network, stamp: Stamp) -> nn.Sequential:
    """Builds the module: rows ``[B, D']``, raw if their steps are included, → logits ``[B, C]``, in eval mode."""
    first: list[nn.Module] = [] if stamp.scaling is None else [Scale(stamp.scaling)]
    first += [Preprocess(Preprocessing(stamp.features, stamp.row_normalize))] if stamp.folded else []
    members = [[part for layer in member for part in _parts(layer)] for member in network.members]
    if network.alpha is None:
        return nn.Sequential(*first, *members[0]).eval()
    return nn.Sequential(*first, Mixture([nn.Sequential(*parts) for parts in members], network.log_alpha)).eval()


def example(network: Network) -> tuple[Tensor, dict[int, torch.export.Dim]]:
    """Returns example rows for tracing, and their dynamic dimensions: the first."""
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
