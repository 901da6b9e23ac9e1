"""Quantization of weights to 8 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.network import FloatArray, Layer, Network

WIDEST = 2**16
"""Largest number of inputs of a layer whose sums of products of 8-bit codes stay below 2³¹."""


@dataclass(frozen=True)
class Int8Layer:
    """A quantized layer: ``W[j] ≈ scale[j] · codes[j]``.

    Args:
        codes: ``[d_out, d_in]`` from −127 to 127.
        scale: ``[d_out]``.
    """

    codes: NDArray[np.int8]
    scale: FloatArray


def fits_int8(network: Network) -> bool:
    """Returns whether sums over the inputs of every layer fit into 32 bits."""
    return all(layer.weight.shape[1] <= WIDEST for layer in network.layers)


def quantised(layer: Layer) -> Int8Layer:
    """Computes ``scale[j] = max |W[j]| / 127``, ``codes[j] = round(W[j] / scale[j])``; zero rows have scale 0."""
    scale = np.abs(layer.weight).max(axis=1).astype(np.float64) / 127
    codes = np.rint(layer.weight / np.where(scale > 0, scale, 1)[:, None])
    return Int8Layer(codes.astype(np.int8), scale.astype(np.float32))
