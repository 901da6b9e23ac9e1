"""Edge weights of any kind → checked numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError
from graphkd.io.rows import array_of
from graphkd.numbers import check_unmasked


def check_weights(weight: Any, num_edges: int, where: str) -> NDArray[np.float64]:
    """``[E]`` finite weights, none below 0.

    Raises:
        GraphKDError: they are not.
    """
    check_unmasked(weight, where)
    if getattr(getattr(weight, "dtype", None), "kind", "") in ("M", "m", "c"):
        raise GraphKDError(f"{where} holds {weight.dtype}, not numbers: correct the weights")
    try:
        weights = np.asarray(array_of(weight), dtype=np.float64)
    except (TypeError, ValueError):
        raise GraphKDError(f"{where} holds something that is no number: correct the weights") from None
    if weights.shape != (num_edges,):
        raise GraphKDError(f"{where} has shape {list(weights.shape)} for {num_edges} edges: give one per edge")
    wrong = ~((weights <= np.finfo(np.float32).max) & (weights >= 0))  # computed with in single precision
    if wrong.any():
        edge = int(wrong.argmax())
        raise GraphKDError(f"{where} holds {weights[edge]} for edge {edge}: weights are finite and not below 0")
    return weights
