"""A student as numpy arrays, from which every runtime without torch and every export is built."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.description import prefixes_of, widths_of
from graphkd.deploy.files import Bundle

FloatArray = NDArray[np.float32]

EPS = 1e-5
"""Added to the variance by batch and layer normalization, as in torch."""


@dataclass(frozen=True)
class Layer:
    """``z = W h + b``, ``z ← gain · (z − mean z) / √(var z + ε) + shift`` if given, ``max(z, 0)`` if hidden.

    Args:
        weight: ``W [d_out, d_in]``, with batch normalization folded in.
        bias: ``b [d_out]``, with batch normalization folded in.
        hidden: whether the layer is followed by ReLU; all but the last are.
        gain: of layer normalization ``[d_out]``, or None.
        shift: of layer normalization ``[d_out]``, or None.
    """

    weight: FloatArray
    bias: FloatArray
    hidden: bool
    gain: FloatArray | None = None
    shift: FloatArray | None = None


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron for inference only, or several of one shape, ``log Σ_k α_k softmax(z_k)``.

    Args:
        layers: in the order of the forward pass; of an ensemble, member after member.
        alpha: weights of the members ``[K]``, or None of a multilayer perceptron.
    """

    layers: tuple[Layer, ...]
    alpha: FloatArray | None = None

    @property
    def num_features(self) -> int:
        """Number of input features ``D'``."""
        return int(self.layers[0].weight.shape[1])

    @property
    def num_classes(self) -> int:
        """Number of classes ``C``."""
        return int(self.layers[-1].weight.shape[0])

    @property
    def num_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(layer.weight.size + layer.bias.size for layer in self.layers)

    @property
    def depth(self) -> int:
        """Number of layers of each member."""
        return len(self.layers) // (1 if self.alpha is None else len(self.alpha))

    @property
    def members(self) -> list[tuple[Layer, ...]]:
        """Layers of each member; of a multilayer perceptron, its own alone."""
        return [self.layers[start : start + self.depth] for start in range(0, len(self.layers), self.depth)]

    @property
    def log_alpha(self) -> FloatArray:
        """``log α [K]``, −∞ where a member has no weight; empty of a multilayer perceptron."""
        if self.alpha is None:
            return np.zeros(0, dtype=np.float32)
        with np.errstate(divide="ignore"):
            log: FloatArray = np.log(self.alpha.astype(np.float64)).astype(np.float32)
        return log


def network_of(bundle: Bundle) -> Network:
    """Builds the network of a bundle, with batch normalization folded into the linear layers.

    ``γ (W h + b − μ) / √(σ² + ε) + β = (s W) h + s (b − μ) + β`` with ``s = γ / √(σ² + ε)``, computed in float64.

    Raises:
        ValueError: its weights are of other sizes than described.
    """
    student, tensors = bundle.description["student"], bundle.tensors
    layers = [_folded(tensors, prefix, student["arguments"]) for prefix in prefixes_of(student)]
    alpha = tensors["alpha"].astype(np.float32) if student["name"] == "ensemble" else None
    return Network(tuple(itertools.chain(*layers)), alpha)


def _folded(tensors: Mapping[str, Any], prefix: str, arguments: Mapping[str, Any]) -> tuple[Layer, ...]:
    """Builds the layers from the arguments of ``graphkd.students.MLP`` and its defaults."""
    widths, norm = widths_of(arguments), arguments.get("norm", "none")
    num_layers = len(widths) - 1
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    layers = [_layer(own, i, norm, i + 1 < num_layers) for i in range(num_layers)]
    shapes = [layer.weight.shape for layer in layers]
    if shapes != list(zip(widths[1:], widths[:-1], strict=True)):
        raise ValueError(f"weights {shapes} for layers of widths {widths}")
    return tuple(layers)


def _layer(tensors: Mapping[str, Any], i: int, norm: str, hidden: bool) -> Layer:
    weight = tensors[f"layers.{i}.weight"]
    # A layer before a batch normalization has no bias, except in bundles of version 0.1.
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
