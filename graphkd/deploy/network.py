"""The student as plain arrays: what every runtime without torch, and every export, is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.description import widths_of
from graphkd.deploy.files import Bundle
from graphkd.deploy.weights import arrays_of
from graphkd.errors import GraphKDError

FloatArray = NDArray[np.float32]

EPS = 1e-5
"""That batch and layer normalisation add to a variance, as in torch."""


@dataclass(frozen=True)
class Layer:
    """``z = W h + b``, ``z ← gain · (z − mean z) / √(var z + ε) + shift`` where given, ``max(z, 0)`` where hidden.

    Args:
        weight: ``W [d_out, d_in]``, with batch normalisation in it.
        bias: ``b [d_out]``, likewise.
        hidden: every layer but the last.
        gain: of layer normalisation ``[d_out]``, or nothing.
        shift: likewise.
    """

    weight: FloatArray
    bias: FloatArray
    hidden: bool
    gain: FloatArray | None = None
    shift: FloatArray | None = None


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron without anything that only training needs.

    Args:
        layers: one after the other.
    """

    layers: tuple[Layer, ...]

    @property
    def num_features(self) -> int:
        """``D'``."""
        return int(self.layers[0].weight.shape[1])

    @property
    def num_classes(self) -> int:
        """``C``."""
        return int(self.layers[-1].weight.shape[0])

    @property
    def num_parameters(self) -> int:
        """Weights and biases."""
        return sum(layer.weight.size + layer.bias.size for layer in self.layers)


def network_of(bundle: Bundle) -> Network:
    """The network in a bundle, with batch normalisation folded into the linear layers.

    ``γ (W h + b − μ) / √(σ² + ε) + β = (s W) h + s (b − μ) + β`` with ``s = γ / √(σ² + ε)``, computed in float64.

    Raises:
        GraphKDError: the bundle does not describe such a network.
    """
    student = bundle.description["student"]
    if student["name"] != "mlp":
        raise GraphKDError(
            f"only torch runs the student '{student['name']}': load the bundle with runtime='torch'"
        )
    layers = _folded(arrays_of(bundle.weights), student["arguments"])
    return Network(layers)


def _folded(tensors: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[Layer, ...]:
    """The arguments are those of ``graphkd.students.MLP``, with its defaults."""
    widths, norm = widths_of(arguments), arguments.get("norm", "none")
    num_layers = len(widths) - 1
    layers = [_layer(tensors, i, norm, i + 1 < num_layers) for i in range(num_layers)]
    shapes = [layer.weight.shape for layer in layers]
    if shapes != list(zip(widths[1:], widths[:-1], strict=True)):
        raise ValueError(f"weights {shapes} for layers of widths {widths}")
    return tuple(layers)


def _layer(tensors: Mapping[str, Any], i: int, norm: str, hidden: bool) -> Layer:
    weight = tensors[f"layers.{i}.weight"]
    # None before a batch normalisation; bundles of version 0.1 have one there.
    bias = tensors.get(f"layers.{i}.bias", np.zeros(len(weight), dtype=np.float32))
    if norm == "none" or not hidden:
        return Layer(weight, bias, hidden)
    gain, shift = (tensors[f"norms.{i}.{name}"] for name in ("weight", "bias"))
    if norm == "layer":
        return Layer(weight, bias, hidden, gain, shift)
    mean, variance = (tensors[f"norms.{i}.running_{name}"].astype(np.float64) for name in ("mean", "var"))
    scale = gain / np.sqrt(variance + EPS)
    weight, bias = scale[:, None] * weight, scale * (bias - mean) + shift
    return Layer(weight.astype(np.float32), bias.astype(np.float32), hidden)
