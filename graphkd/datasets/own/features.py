"""Features of any kind → the ``x`` of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.numbers import check_unmasked
from graphkd.sparse import SparseMatrix, as_features


def feature_tensor(features: Any, where: str = "features") -> Tensor:
    """Single-precision features, sparse where they came so.

    Args:
        features: ``[N, D]``, or ``[N]`` for one feature: array, nested list, data frame, tensor, torch or
            scipy sparse.
        where: they come from, for the error message.

    Returns:
        ``[N, D]``, dense or sparse CSR.

    Raises:
        GraphKDError: no table of finite numbers.
    """
    if isinstance(features, Tensor) and features.layout == torch.strided:
        features = features.detach().cpu()
        features = (features.float() if features.dtype == torch.bfloat16 else features).numpy()
    sparse: bool = scipy.sparse.issparse(features)
    if not (isinstance(features, Tensor) or sparse):
        features = _dense(features, where)
    if sparse:
        _check_kind(np.dtype(features.dtype), where)
    if len(features.shape) != 2 or 0 in features.shape:
        raise GraphKDError(f"{where} must be [nodes, features], but has shape {list(features.shape)}")
    x = as_features(features).to(torch.float32)
    values = x.value if isinstance(x, SparseMatrix) else x
    if not bool(values.isfinite().all()):
        row = "" if isinstance(x, SparseMatrix) else f" in row {int((~x.isfinite()).any(dim=1).nonzero()[0])}"
        raise GraphKDError(f"{where} holds NaN or infinite values{row}: fill or drop them")
    return x.torch() if isinstance(x, SparseMatrix) else x


def _dense(features: Any, where: str) -> np.ndarray[Any, Any]:
    check_unmasked(features, where)
    try:
        table = np.asarray(features)
        table = table.astype(np.float64) if table.dtype == object else table
    except (TypeError, ValueError):
        raise GraphKDError(f"{where} is no table of numbers: give every node a row of the same length") from None
    _check_kind(table.dtype, where)
    with np.errstate(over="ignore"):
        table = table.astype(np.float32)
    return table.reshape(-1, 1) if table.ndim == 1 else table


def _check_kind(dtype: np.dtype[Any], where: str) -> None:
    if dtype.kind not in "biuf":
        raise GraphKDError(f"{where} holds {dtype}, not numbers: encode it as numbers first")
