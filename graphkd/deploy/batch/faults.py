"""Detection of rows that cannot be scored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def faults_of(x: Any, columns: list[str] | None) -> dict[int, str]:
    """Returns row → reason, ascending, for every row with an entry that is not finite.

    Args:
        x: ``[B, D]`` float32, an array or a CSR matrix.
        columns: ``D`` names, or None.
    """
    values = x if isinstance(x, np.ndarray) else x.data
    if np.isfinite(values).all():
        return {}
    rows, features = _places(x)
    first = np.unique(rows, return_index=True)[1]
    return {
        int(rows[i]): f"{column_name(columns, int(features[i]))} holds {_shown(x[rows[i], features[i]])}"
        for i in first
    }


def column_name(columns: list[str] | None, column: int) -> str:
    """Returns a feature's name, or its index."""
    return f"column '{columns[column]}'" if columns is not None else f"feature {column}"


def _places(x: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    if isinstance(x, np.ndarray):
        rows, columns = np.nonzero(~np.isfinite(x))
        return rows, columns
    entries = np.flatnonzero(~np.isfinite(x.data))
    return np.searchsorted(x.indptr, entries, side="right") - 1, x.indices[entries]


def _shown(value: Any) -> str:
    if np.isnan(value):
        return "NaN or nothing"
    return f"{'-' if value < 0 else ''}infinity or a number too large for single precision"
