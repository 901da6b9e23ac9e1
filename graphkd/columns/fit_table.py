"""Fit of an encoding to a table: which columns are read, and whether any is encoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphkd.columns.arguments import check_table, kinds_of
from graphkd.columns.fit import fit_columns
from graphkd.columns.read import series_values
from graphkd.columns.untouched import is_untouched, warn_of_scales
from graphkd.errors import GraphKDError
from graphkd.io.frame import frame_numbers


def fit_table(
    frame: Any, train: Any, columns: str | Mapping[str, str], numeric: str, where: str
) -> dict[str, Any]:
    """Fits an encoding to the training rows of a table; see ``ColumnEncoding.fit``.

    Returns:
        The arguments of ``ColumnEncoding``.

    Raises:
        GraphKDError: an argument is invalid, or a column is refused.
    """
    rows = check_table(frame, train, where)
    labels = [str(label) for label in frame.columns]
    kinds = kinds_of(columns, numeric, labels, where)
    kept = [at for at, label in enumerate(labels) if kinds.get(label) != "drop"]
    found: dict[str, Any] = {"columns": (), "numeric": numeric, "rows": len(rows)}
    if columns == "none":
        values = frame_numbers(frame.iloc[rows], where=where)
        if isinstance(values, np.ndarray):
            warn_of_scales(values, labels, stacklevel=4)
        return {**found, "untouched": tuple(labels)}
    if kept and {*kinds.values()} <= {"drop"} and is_untouched(frame.iloc[:, kept], rows):
        asked = tuple((label, "asked") for label in labels if kinds.get(label) == "drop")
        return {**found, "untouched": tuple(labels[at] for at in kept), "dropped": asked}
    typed = {label: "category" for label, kind in zip(labels, frame.dtypes, strict=True) if kind == "category"}
    raw = {label: series_values(frame.iloc[rows, at]) for at, label in enumerate(labels)}
    fitted, dropped = fit_columns(raw, {**typed, **kinds}, numeric, where)
    if not fitted:
        raise GraphKDError(f"{where} has no column whose training rows differ: add columns that do")
    return {**found, "columns": tuple(fitted), "dropped": tuple(dropped)}
