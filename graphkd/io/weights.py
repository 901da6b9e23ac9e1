"""Conversion of edge weights of any supported type to checked numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import check_unmasked
from graphkd.errors import GraphKDError
from graphkd.io.frame import object_numbers
from graphkd.io.rows import array_of


def check_weights(weight: Any, num_edges: int, where: str) -> NDArray[np.float64]:
    """Checks that edge weights are ``[E]`` finite, non-negative numbers, and returns them.

    Raises:
        GraphKDError: they are not.
    """
    check_unmasked(weight, where)
    try:
        values = array_of(weight)
    except (TypeError, ValueError):  # ragged
        raise GraphKDError(f"{where} holds something that is no number: correct the weights") from None
    if values.dtype == object and values.ndim == 1:
        values = object_numbers(values, where)
    if values.dtype.kind not in "biuf":
        raise GraphKDError(f"{where} holds {values.dtype}, not numbers: correct the weights")
    weights: NDArray[np.float64] = values.astype(np.float64)
    if weights.shape != (num_edges,):
        raise GraphKDError(f"{where} has shape {list(weights.shape)} for {num_edges} edges: give one per edge")
    wrong = ~((weights <= np.finfo(np.float32).max) & (weights >= 0))  # computation is in single precision
    if wrong.any():
        edge = int(wrong.argmax())
        raise GraphKDError(f"{where} holds {weights[edge]} for edge {edge}: weights are finite and not below 0")
    return weights
