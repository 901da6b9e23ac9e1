"""Conversion of features of any supported type to the ``x`` of a graph."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.io.frame import frame_numbers, labels_of
from graphkd.io.rows import array_of, as_rows
from graphkd.sparse import SparseMatrix, as_features


def feature_tensor(features: Any, where: str = "features", names: Sequence[str] | None = None) -> Tensor:
    """Converts features to single precision; sparse features stay sparse.

    Warns of columns whose different values become equal in single precision.

    Args:
        features: ``[N, D]``, or ``[N]`` for one feature: array, nested list, data frame, tensor, torch or
            scipy sparse.
        where: origin of the features, for error messages.
        names: ``D`` column names, or ``None``.

    Returns:
        ``[N, D]``, dense or sparse CSR.

    Raises:
        GraphKDError: ``features`` is no table of finite numbers.
    """
    values = frame_numbers(features, where=where) if labels_of(features) is not None else features
    values = _column(values)
    rows = as_rows(values, None, where)
    if 0 in rows.shape:
        raise GraphKDError(f"{where} must be [nodes, features], but has shape {list(rows.shape)}")
    if isinstance(rows, np.ndarray):
        _warn_of_lost(array_of(values), rows, where, names)
    x = as_features(rows)
    return x.torch() if isinstance(x, SparseMatrix) else x


def check_finite(table: np.ndarray[Any, Any], names: Sequence[str], where: str) -> None:
    """Checks that columns ``[N, D]`` hold finite numbers.

    Raises:
        GraphKDError: one does not; the message names column and row.
    """
    wrong = ~np.isfinite(table)
    if wrong.any():
        row, column = (int(index) for index in np.argwhere(wrong)[0])
        content = "nothing" if np.isnan(table[row, column]) else f"{table[row, column]}"
        raise GraphKDError(
            f"{where} column '{names[column]}' holds {content} in row {row}: features are finite numbers; fill "
            "it, encode it, or leave it out"
        )


def _column(features: Any) -> Any:
    """Converts one feature ``[N]`` to a table ``[N, 1]``; returns others unchanged."""
    try:
        is_flat = not hasattr(features, "tocsr") and np.ndim(features) == 1
    except ValueError:  # ragged rows
        return features
    if not is_flat:
        return features
    return array_of(features).reshape(-1, 1) if hasattr(features, "dtype") else [[value] for value in features]


def _warn_of_lost(given: np.ndarray[Any, Any], rows: np.ndarray[Any, Any], where: str, names: Any) -> None:
    if given.dtype.itemsize <= 4 and given.dtype.kind != "i":
        return
    constant = np.flatnonzero(rows.min(axis=0) == rows.max(axis=0))
    for column in constant.tolist():
        low, high = given[:, column].min(), given[:, column].max()
        if low != high:
            called = f"feature {column}" if names is None else f"column '{names[column]}'"
            warnings.warn(
                f"{where} {called} is one number in single precision, though it goes from {low} to {high}: "
                "subtract its smallest value, or leave it out",
                stacklevel=2,
            )
