"""A student as numpy arrays, from which every runtime without torch and every export is built."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.description import DEFAULTS, prefixes_of, widths_of
from graphkd.deploy.files import Bundle
from graphkd.errors import GraphKDError

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
    """A multilayer perceptron for inference only, or several of one shape.

    An ensemble computes ``log Σ_k α_k softmax(z_k)``. In a sequence each member adds ``V h`` to the sums of its
    first layer, ``h`` the last hidden layer of the member before; see ``graphkd.students.Progressive``.

    Args:
        layers: in the order of the forward pass; of several members, member after member.
        alpha: weights of the members of an ensemble ``[K]``, or None.
        carries: of a sequence, ``V [h, h]`` of every member but the first, with batch normalization folded in;
            None of other students.
        threshold: of a sequence, the confidence from which a row stops.
    """

    layers: tuple[Layer, ...]
    alpha: FloatArray | None = None
    carries: tuple[FloatArray, ...] | None = None
    threshold: float = 1.0

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
        members = len(self.carries) + 1 if self.carries is not None else 1
        return len(self.layers) // (members if self.alpha is None else len(self.alpha))

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
    together = tuple(itertools.chain(*layers))
    if student["name"] != "progressive":
        return Network(together, alpha)
    threshold = float({**DEFAULTS, **student["arguments"]}["threshold"])
    return Network(together, None, _carries(tensors, len(layers), student["arguments"]), threshold)


def check_one_pass(bundle: Bundle, what: str) -> None:
    """Refuses a student whose rows take different numbers of steps.

    Args:
        bundle: of the student.
        what: the export or runtime that it is asked for.

    Raises:
        GraphKDError: the student is a sequence.
    """
    if bundle.description["student"]["name"] == "progressive":
        raise GraphKDError(
            f"{what} has no early exit, which student=progressive needs: use runtime='torch' or 'numpy', or train "
            "another method"
        )


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


def _carries(tensors: Mapping[str, Any], members: int, arguments: Mapping[str, Any]) -> tuple[FloatArray, ...]:
    """Returns the matrices between members; a batch normalization scales its layer's sums, and so their rows."""
    carries = []
    for k in range(1, members):
        weight = tensors[f"carries.{k - 1}.weight"]
        if arguments.get("norm") == "batch":
            norm = {name: tensors[f"members.{k}.norms.0.{name}"] for name in ("weight", "running_var")}
            weight = (norm["weight"] / np.sqrt(norm["running_var"].astype(np.float64) + EPS))[:, None] * weight
        carries.append(weight.astype(np.float32))
    return tuple(carries)


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
