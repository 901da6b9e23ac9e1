"""The student in numpy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.network import EPS, FloatArray, Layer, Network
from graphkd.deploy.row_predictor import Engine
from graphkd.io.rows import Rows

BATCH = 65536
"""Rows per forward pass."""


def plain_engine(network: Network) -> Engine:
    """Builds the engine that runs the student in numpy; sparse rows stay sparse in the first layer."""
    members = [[(np.ascontiguousarray(layer.weight.T), layer) for layer in member] for member in network.members]
    log_alpha = network.log_alpha

    def forward(rows: Rows) -> FloatArray:
        if network.alpha is None:
            return _through(members[0], rows)
        return _mixture((_through(steps, rows) for steps in members), log_alpha)

    def logits(rows: Rows) -> FloatArray:
        with np.errstate(over="ignore", invalid="ignore"):  # no warnings, as in torch
            if rows.shape[0] <= BATCH:
                return forward(rows)
            starts = range(0, rows.shape[0], BATCH)
            return np.concatenate([forward(rows[start : start + BATCH]) for start in starts])

    return Engine("numpy", logits, softmax)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Computes ``exp(z − max z) / Σ exp(z − max z)`` of each row of ``[B, C]``."""
    with np.errstate(invalid="ignore"):
        proba: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
        proba /= proba.sum(axis=1, keepdims=True)
    return proba


def _through(steps: Iterable[tuple[FloatArray, Layer]], rows: Rows) -> FloatArray:
    for weight, layer in steps:
        rows = _after(rows @ weight + layer.bias, layer)
    result: FloatArray = rows
    return result


def _mixture(outputs: Iterable[FloatArray], log_alpha: FloatArray) -> FloatArray:
    """Computes ``log Σ_k α_k softmax(z_k)`` of ``z_k [B, C]``, one at a time and in float64."""
    mixed: Any = -np.inf
    for z, log in zip(outputs, log_alpha, strict=True):
        shifted = z.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        mixed = np.logaddexp(mixed, shifted + log)
    result: FloatArray = mixed.astype(np.float32)
    return result


def _after(z: FloatArray, layer: Layer) -> FloatArray:
    if layer.gain is not None and layer.shift is not None:
        z -= z.mean(axis=1, keepdims=True)
        z *= layer.gain / np.sqrt(np.square(z).mean(axis=1, keepdims=True) + EPS)
        z += layer.shift
    return np.maximum(z, 0, out=z) if layer.hidden else z
