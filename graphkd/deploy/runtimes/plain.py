"""The student in numpy."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.network import EPS, FloatArray, Layer, Network
from graphkd.deploy.row_predictor import Engine
from graphkd.io.rows import Rows

BATCH = 65536
"""Rows per forward pass."""

Steps = list[tuple[FloatArray, Layer]]
"""``Wᵀ`` of each layer of a member, and the layer."""


def plain_engine(network: Network) -> Engine:
    """Builds the engine that runs the student in numpy; sparse rows stay sparse in the first layer."""
    members = [[(np.ascontiguousarray(layer.weight.T), layer) for layer in member] for member in network.members]
    log_alpha = network.log_alpha

    def forward(rows: Rows) -> FloatArray:
        if network.carries is not None:
            return _until_confident(network, members, rows)
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
        mixed = np.logaddexp(mixed, _log_softmax(z) + log)
    result: FloatArray = mixed.astype(np.float32)
    return result


def _until_confident(network: Network, members: Sequence[Steps], rows: Rows) -> FloatArray:
    """Computes ``log Σ_{j ≤ k} softmax(c)_j P_j``, ``k`` the first with ``c_k ≥ threshold`` of each row."""
    result = np.empty((rows.shape[0], network.num_classes), dtype=np.float32)
    assert network.carries is not None
    place, hidden, log_p = np.arange(rows.shape[0]), np.zeros((0, 0), dtype=np.float32), []
    for k, steps in enumerate(members):
        hidden, z = _with_hidden(steps, rows, hidden @ network.carries[k - 1].T if k else None)
        log_p.append(_log_softmax(z))
        result[place] = _weighted(log_p)
        if network.threshold == 1:
            continue
        go_on = np.flatnonzero(np.exp(log_p[-1].max(axis=1)) < network.threshold)
        if go_on.size == 0:
            break
        if go_on.size < len(place):
            place, hidden, rows = place[go_on], hidden[go_on], rows[go_on]
            log_p = [each[go_on] for each in log_p]
    return result


def _with_hidden(steps: Steps, rows: Rows, added: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Computes the last hidden layer ``[B, h]`` and the logits ``[B, C]`` of a member."""
    (weight, first), *hidden, (last, layer) = steps
    z = rows @ weight + first.bias
    h = _after(z if added is None else z + added, first)
    h = _through(hidden, h)
    return h, h @ last + layer.bias


def _log_softmax(z: FloatArray) -> NDArray[np.float64]:
    shifted = z.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def _weighted(log_p: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Computes ``log Σ_j softmax(c)_j P_j`` of ``log P_j [B, C]``, ``c_j = max P_j``."""
    share = np.exp([np.exp(each.max(axis=1, keepdims=True)) for each in log_p])
    mixed = functools.reduce(np.logaddexp, [each + np.log(part) for each, part in zip(log_p, share, strict=True)])
    result: NDArray[np.float32] = (mixed - np.log(share.sum(axis=0))).astype(np.float32)
    return result


def _after(z: FloatArray, layer: Layer) -> FloatArray:
    if layer.gain is not None and layer.shift is not None:
        z -= z.mean(axis=1, keepdims=True)
        z *= layer.gain / np.sqrt(np.square(z).mean(axis=1, keepdims=True) + EPS)
        z += layer.shift
    return np.maximum(z, 0, out=z) if layer.hidden else z
